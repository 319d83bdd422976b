"""Subscriptions: one page of Stripe's list beside the rows of its customers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from django_videoq_billing.exceptions import BillingError, StripeUnavailable
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services import stripe_rebuild, stripe_sync
from django_videoq_billing.services.reconciliation.findings import Difference, Findings
from django_videoq_billing.services.stripe_payloads import subscription_state
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.types import StripeSubscriptionState

logger = logging.getLogger("django_videoq_billing")

Status = UserSubscription.Status
NEVER_PAID = (Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED)


@dataclass(slots=True)
class Prices:
    """Which plan is sold at a price, read once for many subscriptions."""

    by_price: dict[str, int] = field(default_factory=dict)
    by_product: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_plans(cls) -> Prices:
        found = cls()
        for plan in SubscriptionPlan.objects.order_by(
            "is_active", "-sort_order"
        ):  # the last one written counts
            found.by_price[plan.stripe_price_id or ""] = plan.pk
            found.by_product[plan.stripe_product_id or ""] = plan.pk
        found.by_price.pop("", None)
        found.by_product.pop("", None)
        return found

    def plan_of(self, state: StripeSubscriptionState) -> int | None:
        return self.by_price.get(state.price.stripe_id) or self.by_product.get(state.price.product_id)


@dataclass(slots=True)
class Rows:
    """`began` marks what has been seen, so that in the end those are left whom Stripe does not know."""

    findings: Findings
    began: datetime
    dry_run: bool
    prices: Prices = field(default_factory=Prices.of_plans)

    def compare(self, page: Iterable[dict[str, Any]]) -> None:
        states = [subscription_state(item) for item in page]
        rows = rows_of({state.customer_id for state in states})
        seen = [s.stripe_id for s in states if s.customer_id in rows]
        suspects: dict[str, StripeSubscriptionState] = {}
        for state in states:
            row = rows.get(state.customer_id)
            if row is None:
                self._strangers(state)
            elif not self._agrees(row, state):
                suspects[state.customer_id] = state
        UserSubscription.objects.filter(stripe_subscription_id__in=seen).update(reconciled_at=self.began)
        for customer_id, state in suspects.items():
            after = self.check(rows[customer_id])
            self._second(after, state)

    def unseen(self) -> QuerySet[UserSubscription]:
        """Rows that say that Stripe bills somebody, and whose subscription was on no page."""
        unmarked = Q(reconciled_at=None) | Q(reconciled_at__lt=self.began)
        billed = UserSubscription.objects.filter(status__in=UserSubscription.BILLED_STATUSES)
        return billed.filter(unmarked, updated_at__lt=self.began).exclude(stripe_subscription_id=None)

    def check(
        self, row: UserSubscription, *, unseen: bool = False, only_report: bool = False
    ) -> UserSubscription | None:
        """Compare with all of the customer's subscriptions, and mend the row; return what it ought to be."""
        mends = not (self.dry_run or only_report)
        row = UserSubscription.objects.select_related("plan", "pending_plan").get(pk=row.pk)
        try:
            if not mends:
                after: UserSubscription | None = stripe_sync.preview_customer(row)
            else:
                after = stripe_sync.sync_customer(str(row.stripe_customer_id))
        except StripeUnavailable:
            raise
        except BillingError as error:  # trouble with one is no reason to leave the others out
            logger.exception("reconcile_failed", extra={"user_id": str(row.user_id)})
            self._found("error", row, "", type(error).__name__, mended=False)
            return None
        if after is None:
            return None
        if unseen and row.is_billed and not after.is_billed:
            self._found("unknown_at_stripe", row, _plan_and_status(row), str(after.status), mended=mends)
            return after
        before, now = _facts(row), _facts(after)
        for kind in before:
            if before[kind] != now[kind]:
                self._found(kind, row, before[kind], now[kind], mended=mends)
        return after

    def _agrees(self, row: UserSubscription, state: StripeSubscriptionState) -> bool:
        """Whether nothing speaks for a difference. Asks nobody: this is what happens a million times."""
        if row.stripe_subscription_id != state.stripe_id:
            return not state.is_alive or self.prices.plan_of(state) is None
        same = (row.status, row.cancelled_at, row.trial_end) == (
            state.status,
            state.cancelled_at,
            state.trial_end,
        )
        ends = state.cancel_at_period_end and state.is_alive
        pending = self.prices.by_price.get(state.pending_price_id or "")
        if not same or row.cancel_at_period_end != ends or row.pending_plan_id != pending:
            return False
        if state.status in NEVER_PAID:
            return True
        plan_id = self.prices.plan_of(state)
        return row.period == state.period and plan_id in (None, row.plan_id)

    def _second(self, after: UserSubscription | None, state: StripeSubscriptionState) -> None:
        """What is told of one that charges the customer a second time; the sync has ended it."""
        if after and after.is_billed and state.is_alive and after.stripe_subscription_id != state.stripe_id:
            plan = after.plan.slug
            self._found("second_subscription", after, plan, str(state.status), mended=not self.dry_run)

    def _strangers(self, state: StripeSubscriptionState) -> None:
        try:
            self._nobodys(state)
        except StripeUnavailable:
            raise
        except BillingError as error:
            logger.exception("reconcile_failed")
            self.findings.add(Difference("error", None, "", type(error).__name__, mended=False))

    def _nobodys(self, state: StripeSubscriptionState) -> None:
        """One of a customer whom no row names: somebody's whose row lost the customer, or really nobody's."""
        plan_id = self.prices.plan_of(state)
        if plan_id is None or not state.is_alive or state.status in NEVER_PAID:
            return
        slug = SubscriptionPlan.objects.get(pk=plan_id).slug
        row = stripe_rebuild.owner_of(StripeService.retrieve_customer(state.customer_id))
        if row is None:
            told = f"{slug} since {state.created:%Y-%m-%d}"
            self.findings.add(Difference("nobody_here", None, "", told, mended=False))
            return
        mended = not self.dry_run and stripe_rebuild.take(row, state.customer_id)
        if mended:
            stripe_sync.sync_customer(state.customer_id, quiet=True)
            stripe_rebuild.rebuild_ledger(state.customer_id)
        self._found("unknown_here", row, _plan_and_status(row), f"{slug} ({state.status})", mended=mended)

    def _found(self, kind: str, row: UserSubscription, here: str, at_stripe: str, *, mended: bool) -> None:
        self.findings.add(Difference(kind, str(row.user_id), here, at_stripe, mended))


def rows_of(customer_ids: Iterable[str | None]) -> dict[str, UserSubscription]:
    wanted = list(filter(None, customer_ids))
    rows = UserSubscription.objects.filter(stripe_customer_id__in=wanted).select_related("plan")
    return {str(row.stripe_customer_id): row for row in rows}


def _plan_and_status(row: UserSubscription) -> str:
    return f"{row.plan.slug} ({row.status})"


def _facts(row: UserSubscription) -> dict[str, str]:
    """What Stripe decides about a row, in words, by the kind of the difference."""
    pending = (
        f"{row.pending_plan.slug} from {_moment(row.pending_plan_effective_at)}" if row.pending_plan else ""
    )
    return {
        "status": str(row.status),
        "plan": row.plan.slug,
        "period": f"{_moment(row.current_period_start)} to {_moment(row.current_period_end)}",
        "cancellation": "at the end of the period" if row.cancel_at_period_end else _moment(row.cancelled_at),
        "pending_plan": pending,
        "trial": _moment(row.trial_end),
        "grace_period": _moment(row.grace_period_end),
    }


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
