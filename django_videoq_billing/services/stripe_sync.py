"""Bringing the local row in line with Stripe: the only writer of what Stripe decides."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, StripeFailure, StripeObjectMissing, StripeUnavailable
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services import stripe_attempts, stripe_surplus
from django_videoq_billing.services.stripe_payloads import price_state
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.subscription_news import Before, tell
from django_videoq_billing.signals import plan_changed, subscription_activated, subscription_cancelled
from django_videoq_billing.types import StripePriceState, StripeSubscriptionState

logger = logging.getLogger("django_videoq_billing")

Status = UserSubscription.Status

ATTEMPTS = 10
_NEVER_PAID = (Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED)
_ENDED = (Status.CANCELLED, Status.INCOMPLETE_EXPIRED)
_RANK = {
    Status.ACTIVE: 5,
    Status.TRIALING: 5,
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


def sync_customer(
    customer_id: str, *, in_request: bool = False, quiet: bool = False
) -> UserSubscription | None:
    """Bring a customer's row in line with all of the customer's subscriptions at Stripe, read afresh.

    Events may come late, twice and in any order: the result depends on Stripe's present state alone. Stripe
    is asked with no transaction open, so syncs may overlap. Each draws a ticket before it asks. When a later
    ticket was written meanwhile, that answer is newer than this call and nothing is left to do; when an
    earlier one was, that answer may still be newer than ours, so Stripe is asked again. Raises Conflict
    when that keeps happening.

    A second paid subscription is ended at Stripe afterwards, and refunded. Where that fails the error is
    raised, so that the event is tried again; in a user's request it is logged and left to the event.

    The user is told by e-mail of what became different, unless `quiet`: a row that is made anew, after an
    outage or on a new site, is no news to anybody.
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
                leading = _leading(states, row)
                _project(row, leading, quiet=quiet)
                break
    else:
        raise Conflict.busy()
    _end_surplus(_surplus(states, leading), row, in_request)
    return row


def preview_customer(row: UserSubscription) -> UserSubscription:
    """Return the row as `sync_customer` would leave it. Writes nothing, here or at Stripe."""
    found = copy.copy(row)
    _apply(found, _leading(_states(str(row.stripe_customer_id)), row))
    return found


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
        states = StripeService.list_subscriptions(customer_id)
    except StripeObjectMissing:  # the customer was deleted in the dashboard, and its subscriptions with it
        return []
    return [_completed(state) for state in states]


def _completed(state: StripeSubscriptionState) -> StripeSubscriptionState:
    """Ask for what Stripe's list leaves out, where it is needed."""
    if state.status == Status.PAST_DUE:
        state = replace(state, failing_since=stripe_attempts.failing_since(state))
    if state.pending_price_id and plan_sold_at(state.pending_price_id) is None:
        price = price_state(StripeService.retrieve("prices", state.pending_price_id))
        state = replace(state, pending_product_id=price.product_id)
    return state


def _leading(states: list[StripeSubscriptionState], row: UserSubscription) -> StripeSubscriptionState | None:
    """Return the subscription that counts: the one that is paid, else the latest."""
    after = row.assigned_at
    candidates = [s for s in states if after is None or s.created > after or s.status not in _ENDED]
    paid = [state for state in candidates if state.status in UserSubscription.BILLED_STATUSES]
    if len(paid) > 1:
        logger.error("duplicate_subscription", extra={"user_id": str(row.user_id), "count": len(paid)})
    return _kept(paid, row) or max(
        candidates, key=lambda s: (_RANK.get(Status(s.status), 0), s.created), default=None
    )


def _kept(paid: list[StripeSubscriptionState], row: UserSubscription) -> StripeSubscriptionState | None:
    """Return the one to keep, the same for everybody who looks: the row's own before a newer one, else the first.

    One that is paid up goes before one that is not, and a plan of ours before something else that is sold to
    the same customer.
    """
    if len(paid) < 2:
        return next(iter(paid), None)

    def merit(state: StripeSubscriptionState) -> tuple[bool, int, bool, float]:
        is_incumbent = state.stripe_id == row.stripe_subscription_id
        age = -state.created.timestamp()
        return _is_ours(state), _RANK[Status(state.status)], is_incumbent, age

    return max(sorted(paid, key=lambda state: state.stripe_id), key=merit)


def _surplus(
    states: list[StripeSubscriptionState], kept: StripeSubscriptionState | None
) -> list[StripeSubscriptionState]:
    """Return what would charge the customer a second time, and what was ended for that and may be paid late.

    Only subscriptions to plans of ours: a customer may buy other things from the same Stripe account.
    """
    ended = [state for state in states if not state.is_alive and stripe_surplus.is_marked(state)]
    if kept is None or kept.status not in UserSubscription.BILLED_STATUSES:
        return ended
    others = [state for state in states if state.is_alive and state.stripe_id != kept.stripe_id]
    if not others or not _is_ours(kept):
        return ended
    return [*ended, *filter(_is_ours, others)]


def _end_surplus(surplus: list[StripeSubscriptionState], row: UserSubscription, in_request: bool) -> None:
    for state in surplus:
        try:
            stripe_surplus.end(state, str(row.user_id))
        except (StripeFailure, StripeUnavailable):
            if not in_request:
                raise
            logger.exception("surplus_subscription_not_ended", extra={"user_id": str(row.user_id)})


def _is_ours(state: StripeSubscriptionState) -> bool:
    return _plan_of(state.price) is not None


def _project(row: UserSubscription, state: StripeSubscriptionState | None, *, quiet: bool) -> None:
    """Write the state into the locked row and announce after the commit what became different."""
    before = Before.of(row)
    _apply(row, state)
    row.save()
    if not quiet:
        tell(before, row, unpaid=state is not None and state.ended_because == "payment_failed")
    if row.is_billed and row.is_active and not (before.is_billed and before.status in row.ACTIVE_STATUSES):
        _announce(lambda: subscription_activated.send_robust(UserSubscription, subscription=row))
    if row.plan_id != before.plan.pk:
        _announce(
            lambda: plan_changed.send_robust(UserSubscription, subscription=row, previous_plan=before.plan)
        )
    if row.status == Status.CANCELLED and before.status != Status.CANCELLED:
        _announce(lambda: subscription_cancelled.send_robust(UserSubscription, subscription=row))


def _apply(row: UserSubscription, state: StripeSubscriptionState | None) -> None:
    if state is not None:
        _copy(row, state)
    elif row.stripe_subscription_id:
        row.status, row.cancel_at_period_end = Status.CANCELLED, False
        row.pending_plan = row.pending_plan_effective_at = None


def _announce(signal: Callable[[], object]) -> None:
    transaction.on_commit(signal, robust=True)


def _copy(row: UserSubscription, state: StripeSubscriptionState) -> None:
    row.stripe_subscription_id = state.stripe_id
    row.status = state.status
    row.cancel_at_period_end = state.cancel_at_period_end and state.status not in _ENDED
    row.cancelled_at = state.cancelled_at
    row.trial_end = state.trial_end
    row.grace_period_end = _grace_period_end(state)
    row.pending_plan = plan_sold_at(state.pending_price_id, state.pending_product_id)
    row.pending_plan_effective_at = state.pending_from if row.pending_plan else None
    if state.status in _NEVER_PAID:
        return  # nothing was paid for: neither the plan nor a fresh period is given
    row.plan = _plan_or_report(state.price) or row.plan
    row.current_period_start, row.current_period_end = state.period.start, state.period.end
    row.period_anchor = state.period.start


def _grace_period_end(state: StripeSubscriptionState) -> datetime | None:
    """What is past due: the days count from the first attempt that failed, however late that one was."""
    if state.status != Status.PAST_DUE:
        return None
    start = state.failing_since or state.period.start
    return start + timedelta(days=get_settings().GRACE_PERIOD_DAYS)


def _plan_or_report(price: StripePriceState) -> SubscriptionPlan | None:
    """Return the plan that is sold at this price; one that belongs to none is reported loudly."""
    plan = _plan_of(price)
    if plan is None:
        logger.error("unknown_price", extra={"currency": price.currency, "amount": price.amount})
    return plan


def _plan_of(price: StripePriceState) -> SubscriptionPlan | None:
    return plan_sold_at(price.stripe_id, price.product_id)


def plan_sold_at(price_id: str | None, product_id: str | None = None) -> SubscriptionPlan | None:
    """Return the price's plan, or the one whose product it belongs to: an old price keeps its plan."""
    plan = SubscriptionPlan.objects.filter(stripe_price_id=price_id).first() if price_id else None
    if plan is None and product_id:
        same_product = SubscriptionPlan.objects.filter(stripe_product_id=product_id)
        plan = same_product.order_by("-is_active", "sort_order").first()
    return plan
