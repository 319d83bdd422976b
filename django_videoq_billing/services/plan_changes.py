"""What a paying user does with the subscription: change the plan, cancel, come back, manage the payment."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    Conflict,
    NoSubscription,
    NotScheduledForCancellation,
    PermissionDenied,
    StripeAuthenticationRequired,
    StripeFailure,
    StripeObjectMissing,
)
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import find_subscription
from django_videoq_billing.services.stripe_catalog import require_price
from django_videoq_billing.services.stripe_payloads import PreviewState, preview_state
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_sync import sync_customer
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric, StripeSubscriptionState, UserId

Status = UserSubscription.Status

logger = logging.getLogger("django_videoq_billing")


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change of plan would cost and when it would happen. Amounts in the currency's minor unit."""

    plan: SubscriptionPlan
    immediate: bool
    effective_at: datetime | None
    currency: str
    amount_due: int
    credit: int
    lines: list[dict[str, Any]]
    exceeded: list[Metric]


def preview(user: AbstractBaseUser, plan: SubscriptionPlan) -> ChangePreview:
    """Say what `change` would do now. Changes nothing."""
    row, state = _billed(user)
    _check_change(row, plan)
    exceeded = _exceeded(user, plan)
    if not plan.is_upgrade_from(row.plan):
        return ChangePreview(plan, False, state.period.end, plan.currency, 0, 0, [], exceeded)
    invoice: PreviewState = preview_state(
        StripeService.preview_price(state, str(plan.stripe_price_id), end_trial=_leaves_trial(state, plan))
    )
    return ChangePreview(
        plan=plan,
        immediate=True,
        effective_at=None,
        currency=invoice.currency,
        amount_due=invoice.amount_due,
        credit=invoice.credit,
        lines=[{"description": line.description, "amount_cents": line.amount} for line in invoice.lines],
        exceeded=exceeded,
    )


def change(user: AbstractBaseUser, plan: SubscriptionPlan) -> UserSubscription:
    """Move to another plan: up at once with proration, down at the end of the period, to Free by cancelling.

    A trial goes on where the new plan has one, too, and is over where it has none: that plan is paid for at once.

    Choosing the present plan drops a change that was scheduled, or that waits for its payment, and so does
    choosing a third. Raises AlreadyOnPlan, InvalidPlan, Conflict (nothing is billed, a payment is open, or it
    is paused), StripeFailure for a declined card: then nothing changed. Raises StripeAuthenticationRequired where the
    cardholder has to confirm the payment: the change waits at Stripe for that, a day at most.
    """
    row, state = _billed(user)
    extra = {"user_id": str(row.user_id), "plan": plan.slug, "previous_plan": row.plan.slug}
    logger.info("plan_change_requested", extra=extra)
    if plan.pk == row.plan_id and _is_moving(row, state):
        _drop_pending(state)
        return _synced(state)
    _check_change(row, plan)
    if state.waiting_price_id and state.waiting_price_id == plan.stripe_price_id:
        raise _confirmation_of(state)
    _drop_waiting(state)
    if plan.is_free:
        return cancel(user)
    if plan.is_upgrade_from(row.plan):
        _upgrade(state, plan)
    else:
        if state.cancel_at_period_end:
            StripeService.reactivate_subscription(state.stripe_id)
        StripeService.schedule_price(state, str(plan.stripe_price_id))
    return _synced(state)


def _upgrade(state: StripeSubscriptionState, plan: SubscriptionPlan) -> None:
    """Change the price at once; where it is not paid everything is left as it was, a scheduled change too."""
    if state.schedule_id:
        StripeService.release_schedule(state.schedule_id)
    try:
        StripeService.change_price(state, str(plan.stripe_price_id), end_trial=_leaves_trial(state, plan))
    except StripeFailure as refusal:
        if state.pending_price_id:
            released = StripeService.retrieve_subscription(state.stripe_id)
            StripeService.schedule_price(released, state.pending_price_id)
        if not isinstance(refusal, StripeAuthenticationRequired):
            raise
        _let_wait(state, plan, refusal)


def _leaves_trial(state: StripeSubscriptionState, plan: SubscriptionPlan) -> bool:
    """Whether the change is to be paid at once: a trial of one plan is none of another that offers none."""
    return state.status == Status.TRIALING and not plan.trial_days


def _let_wait(
    state: StripeSubscriptionState, plan: SubscriptionPlan, refusal: StripeAuthenticationRequired
) -> None:
    """Ask again for a change that needs the cardholder, so that there is an invoice to confirm; raises.

    Not beside something scheduled: Stripe would carry that out after the confirmed change all the same.
    Returns where the bank has changed its mind and the change is made.
    """
    if state.pending_price_id or state.cancel_at_period_end:
        raise StripeAuthenticationRequired.while_scheduled() from refusal
    try:
        state = StripeService.change_price(
            state, str(plan.stripe_price_id), end_trial=_leaves_trial(state, plan), may_wait=True
        )
    except StripeFailure:
        raise refusal from None
    if state.waiting_price_id:
        raise _confirmation_of(state) from refusal


def _confirmation_of(state: StripeSubscriptionState) -> StripeAuthenticationRequired:
    invoice = StripeService.retrieve_invoice(str(state.latest_invoice_id))
    return StripeAuthenticationRequired.confirm_at(invoice.hosted_invoice_url)


def _drop_waiting(state: StripeSubscriptionState) -> None:
    """Drop a change that waits for its payment; raises Conflict where it was paid at this very moment."""
    if not state.waiting_price_id:
        return
    try:
        StripeService.void_invoice(str(state.latest_invoice_id))
    except StripeFailure:
        raise Conflict.busy() from None


def cancel(
    user: AbstractBaseUser, *, immediate: bool = False, by: AbstractBaseUser | None = None
) -> UserSubscription:
    """Cancel at the end of the period, or, for staff, at once. Cancelling twice is safe.

    Who asks is the user, or the one that `by` names. A paused subscription has no period that was paid for, and
    ends at once, too.
    """
    if immediate and not getattr(by or user, "is_staff", False):
        raise PermissionDenied.staff_only()
    row, state = _billed(user)
    extra = {"user_id": str(row.user_id), "plan": row.plan.slug, "immediate": immediate}
    logger.info("cancellation_requested", extra=extra)
    _drop_waiting(state)
    if immediate or row.status == Status.PAUSED:
        StripeService.cancel_subscription(state.stripe_id, at_period_end=False)
    elif not state.cancel_at_period_end:
        if state.schedule_id:
            StripeService.release_schedule(state.schedule_id)
        StripeService.cancel_subscription(state.stripe_id)
    return _synced(state)


def end_billing(user_id: UserId) -> None:
    """Cancel at Stripe whatever charges, or could still charge, a user who is about to be deleted.

    Raises StripeUnavailable, StripeFailure or Conflict, and the deletion must not happen then: it would leave a
    subscription that nobody can end from here.
    """
    row = UserSubscription.objects.filter(user_id=user_id).first()
    if row is None or not row.stripe_customer_id:
        return
    if row.stripe_checkout_session_id:
        # First, so that a payment that was faster is among the subscriptions.
        StripeService.expire_checkout_session(row.stripe_checkout_session_id)
    try:
        alive = [s for s in StripeService.list_subscriptions(row.stripe_customer_id) if s.is_alive]
    except StripeObjectMissing:
        return
    for state in alive:
        _drop_waiting(state)
        StripeService.cancel_subscription(state.stripe_id, at_period_end=False)
    logger.info("billing_ended", extra={"user_id": str(user_id), "subscriptions": len(alive)})


def reactivate(user: AbstractBaseUser) -> UserSubscription:
    """Undo a cancellation that has not taken effect; raises NotScheduledForCancellation."""
    row = _fresh(user)
    if not row.is_billed or not row.cancel_at_period_end:
        raise NotScheduledForCancellation.for_user()
    logger.info("reactivation_requested", extra={"user_id": str(row.user_id), "plan": row.plan.slug})
    state = _state_of(row)
    StripeService.reactivate_subscription(state.stripe_id)
    return _synced(state)


def sync(user: AbstractBaseUser, session_id: str | None = None) -> UserSubscription:
    """Read the user's subscription afresh from Stripe, for the page after checkout when the webhook is late.

    A session of somebody else is treated as unknown.
    """
    row = find_subscription(user)
    if row is None or (session_id and not _owns_session(row, session_id)):
        raise NoSubscription.for_user()
    return _fresh(user)


def portal_url(user: AbstractBaseUser, return_url: str) -> str:
    """Return the address of Stripe's customer portal for this user."""
    row = find_subscription(user)
    if row is None or not row.stripe_customer_id:
        raise NoSubscription.for_user()
    return StripeService.create_portal_session(row.stripe_customer_id, return_url)


def _owns_session(row: UserSubscription, session_id: str) -> bool:
    try:
        session = StripeService.retrieve_checkout_session(session_id)
    except StripeObjectMissing:
        return False
    return bool(row.stripe_customer_id) and session.customer_id == row.stripe_customer_id


def _billed(user: AbstractBaseUser) -> tuple[UserSubscription, StripeSubscriptionState]:
    """Return the user's row and Stripe's state, both of this moment: a webhook may be on its way."""
    row = _fresh(user)
    if not row.is_billed:
        raise Conflict.not_billed()
    return row, _state_of(row)


def _fresh(user: AbstractBaseUser) -> UserSubscription:
    row = find_subscription(user)
    if row is None:
        raise NoSubscription.for_user()
    if not row.stripe_customer_id:
        return row
    return sync_customer(row.stripe_customer_id, in_request=True) or row


def _state_of(row: UserSubscription) -> StripeSubscriptionState:
    return StripeService.retrieve_subscription(str(row.stripe_subscription_id))


def _synced(state: StripeSubscriptionState) -> UserSubscription:
    row = sync_customer(state.customer_id, in_request=True)
    if row is None:
        raise NoSubscription.for_user()
    return row


def _check_change(row: UserSubscription, plan: SubscriptionPlan) -> None:
    if plan.pk == row.plan_id:
        raise AlreadyOnPlan.plan(plan.name)
    require_price(plan)
    if plan.is_free or row.is_active:
        return
    if row.status == Status.PAUSED:
        raise Conflict.paused()
    raise Conflict.payment_open()


def _is_moving(row: UserSubscription, state: StripeSubscriptionState) -> bool:
    """Whether a change is scheduled, or waits for its payment, or the subscription is about to end."""
    scheduled = row.pending_plan_id or state.schedule_id or state.cancel_at_period_end
    return bool(scheduled or state.waiting_price_id)


def _drop_pending(state: StripeSubscriptionState) -> None:
    _drop_waiting(state)
    if state.schedule_id:
        StripeService.release_schedule(state.schedule_id)
    if state.cancel_at_period_end:
        StripeService.reactivate_subscription(state.stripe_id)


def _exceeded(user: AbstractBaseUser, plan: SubscriptionPlan) -> list[Metric]:
    """Return the metrics of which more is used already than the plan allows."""
    counters = UsageTracker.report(user).counters
    limits = {metric: plan.limit(metric) for metric in Metric}
    return [metric for metric, limit in limits.items() if limit is not None and counters.used(metric) > limit]
