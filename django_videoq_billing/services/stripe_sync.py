"""Bringing the local row in line with Stripe: the only writer of what Stripe decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, StripeObjectMissing
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.signals import plan_changed, subscription_activated, subscription_cancelled
from django_videoq_billing.types import StripePriceState, StripeSubscriptionState

logger = logging.getLogger("django_videoq_billing")

Status = UserSubscription.Status

ATTEMPTS = 10
_NEVER_PAID = (Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED)
_ENDED = (Status.CANCELLED, Status.INCOMPLETE_EXPIRED)
_RANK = {
    Status.ACTIVE: 4,
    Status.TRIALING: 4,
    Status.PAST_DUE: 4,
    Status.UNPAID: 3,
    Status.PAUSED: 3,
    Status.INCOMPLETE: 2,
    Status.CANCELLED: 1,
}


def sync_from_stripe(subscription_id: str) -> UserSubscription | None:
    """Bring the row of the subscription's customer in line with Stripe; None for a stranger's customer."""
    try:
        customer_id = StripeService.retrieve_subscription(subscription_id).customer_id
    except StripeObjectMissing:
        return None
    return sync_customer(customer_id)


def sync_customer(customer_id: str) -> UserSubscription | None:
    """Bring a customer's row in line with all of the customer's subscriptions at Stripe, read afresh.

    Events may come late, twice and in any order: the result depends on Stripe's present state alone. Stripe
    is asked with no transaction open, so syncs may overlap. Each draws a ticket before it asks. When a later
    ticket was written meanwhile, that answer is newer than this call and nothing is left to do; when an
    earlier one was, that answer may still be newer than ours, so Stripe is asked again. Raises Conflict
    when that keeps happening.
    """
    first_ticket = None
    for _ in range(ATTEMPTS):
        drawn = _draw_ticket(customer_id)
        if drawn is None:
            return None
        first_ticket = first_ticket or drawn.sync_ticket
        states = _states(customer_id)
        with transaction.atomic():
            # Without a join: PostgreSQL drops a locked row whose joined plan was changed by somebody else.
            row = UserSubscription.objects.select_for_update().get(pk=drawn.pk)
            if row.sync_applied > first_ticket:
                return row
            if row.sync_applied == drawn.sync_applied:
                row.sync_applied = drawn.sync_ticket
                _project(row, _leading(states, row))
                return row
    raise Conflict.busy()


def _draw_ticket(customer_id: str) -> UserSubscription | None:
    """Count one more sync of this customer's row; None where the customer is not ours."""
    with transaction.atomic():
        row = UserSubscription.objects.select_for_update().filter(stripe_customer_id=customer_id).first()
        if row is not None:
            row.sync_ticket += 1
            row.save(update_fields=["sync_ticket"])
    return row


def _states(customer_id: str) -> list[StripeSubscriptionState]:
    try:
        return StripeService.list_subscriptions(customer_id)
    except StripeObjectMissing:  # the customer was deleted in the dashboard, and its subscriptions with it
        return []


def _leading(states: list[StripeSubscriptionState], row: UserSubscription) -> StripeSubscriptionState | None:
    """Return the subscription that counts: a living one before an ended one, then the one that came first."""
    after = row.assigned_at
    candidates = [s for s in states if after is None or s.created > after or s.status not in _ENDED]
    alive = [state for state in candidates if state.status not in _ENDED]
    if len([state for state in alive if state.status not in _NEVER_PAID]) > 1:
        logger.error("duplicate_subscription", extra={"user_id": str(row.user_id), "count": len(alive)})
    return max(candidates, key=lambda s: (_RANK.get(Status(s.status), 0), s.created), default=None)


def _project(row: UserSubscription, state: StripeSubscriptionState | None) -> None:
    """Write the state into the locked row and announce after the commit what became different."""
    before_plan, before_status, was_billed = row.plan, row.status, row.is_billed
    if state is not None:
        _copy(row, state)
    elif row.stripe_subscription_id:
        row.status, row.cancel_at_period_end = Status.CANCELLED, False
        row.pending_plan = row.pending_plan_effective_at = None
    row.save()
    if row.is_billed and row.is_active and not (was_billed and before_status in row.ACTIVE_STATUSES):
        _announce(lambda: subscription_activated.send_robust(UserSubscription, subscription=row))
    if row.plan_id != before_plan.pk:
        _announce(
            lambda: plan_changed.send_robust(UserSubscription, subscription=row, previous_plan=before_plan)
        )
    if row.status == Status.CANCELLED and before_status != Status.CANCELLED:
        _announce(lambda: subscription_cancelled.send_robust(UserSubscription, subscription=row))


def _announce(signal: Callable[[], object]) -> None:
    transaction.on_commit(signal, robust=True)


def _copy(row: UserSubscription, state: StripeSubscriptionState) -> None:
    row.stripe_subscription_id = state.stripe_id
    row.status = state.status
    row.cancel_at_period_end = state.cancel_at_period_end and state.status not in _ENDED
    row.cancelled_at = state.cancelled_at
    row.trial_end = state.trial_end
    row.grace_period_end = _grace_period_end(state)
    row.pending_plan = plan_for_price(state.pending_price_id) if state.pending_price_id else None
    row.pending_plan_effective_at = state.pending_from if row.pending_plan else None
    if state.status in _NEVER_PAID:
        return  # nothing was paid for: neither the plan nor a fresh period is given
    row.plan = plan_of(state.price) or row.plan
    row.current_period_start, row.current_period_end = state.period.start, state.period.end
    row.period_anchor = state.period.start


def _grace_period_end(state: StripeSubscriptionState) -> datetime | None:
    """A renewal that was not paid: the days count from the period that it was to pay for."""
    if state.status != Status.PAST_DUE:
        return None
    return state.period.start + timedelta(days=get_settings().GRACE_PERIOD_DAYS)


def plan_of(price: StripePriceState) -> SubscriptionPlan | None:
    """Return the plan that is sold at this price, or whose product it belongs to: an old price keeps its plan."""
    plan = plan_for_price(price.stripe_id)
    if plan is None and price.product_id:
        same_product = SubscriptionPlan.objects.filter(stripe_product_id=price.product_id)
        plan = same_product.order_by("-is_active", "sort_order").first()
    if plan is None:
        logger.error("unknown_price", extra={"currency": price.currency, "amount": price.amount})
    return plan


def plan_for_price(price_id: str) -> SubscriptionPlan | None:
    return SubscriptionPlan.objects.filter(stripe_price_id=price_id).first()
