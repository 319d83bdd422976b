"""From a free plan to a paid one: Stripe's checkout page. Nothing is decided here; the webhook decides."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    InvalidPlan,
    StripeObjectMissing,
    SubscriptionExists,
)
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan, ensure_subscription
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_sync import sync_customer
from django_videoq_billing.types import CheckoutSession


def start_checkout(
    user: AbstractBaseUser, plan: SubscriptionPlan, success_url: str, cancel_url: str
) -> CheckoutSession:
    """Open a checkout page for a paid plan, or return the one that is open already.

    A user has at most one open page, so two racing calls cannot end in two subscriptions. Raises
    AlreadyOnPlan, SubscriptionExists (change the plan instead) or InvalidPlan.
    """
    subscription = ensure_subscription(user)
    if effective_plan(subscription).pk != plan.pk and (plan.is_free or not plan.stripe_price_id):
        raise InvalidPlan.not_for_sale(plan.name)
    if subscription.stripe_customer_id:
        # A webhook may be on its way: only Stripe knows what was paid for or has ended.
        subscription = sync_customer(subscription.stripe_customer_id) or subscription
    if effective_plan(subscription).pk == plan.pk:
        raise AlreadyOnPlan.plan(plan.name)
    if subscription.is_billed:
        raise SubscriptionExists.for_user()
    customer_id = ensure_customer(user, subscription)
    previous = _last_session(subscription.stripe_checkout_session_id)
    if previous is not None and previous.is_open:
        if previous.plan_id == str(plan.pk):
            return previous
        StripeService.expire_checkout_session(previous.id)
    session = StripeService.create_checkout_session(
        user,
        plan,
        success_url,
        cancel_url,
        customer_id=customer_id,
        after=subscription.stripe_checkout_session_id,
    )
    return _remember(subscription, session)


def ensure_customer(user: AbstractBaseUser, subscription: UserSubscription) -> str:
    """Return the user's customer at Stripe, created on first need; racing calls end with one."""
    if subscription.stripe_customer_id:
        return subscription.stripe_customer_id
    created = StripeService.create_customer(user).id
    row = UserSubscription.objects.filter(pk=subscription.pk)
    row.filter(stripe_customer_id__isnull=True).update(stripe_customer_id=created)
    return row.values_list("stripe_customer_id", flat=True).get() or created


def _last_session(session_id: str) -> CheckoutSession | None:
    try:
        return StripeService.retrieve_checkout_session(session_id) if session_id else None
    except StripeObjectMissing:
        return None


def _remember(subscription: UserSubscription, session: CheckoutSession) -> CheckoutSession:
    """Keep the page as the user's one open page. Whoever comes second closes its own and takes the first."""
    row = UserSubscription.objects.filter(pk=subscription.pk)
    unchanged = row.filter(stripe_checkout_session_id=subscription.stripe_checkout_session_id)
    if unchanged.update(stripe_checkout_session_id=session.id):
        return session
    winner = row.values_list("stripe_checkout_session_id", flat=True).get()
    if winner == session.id:
        return session
    StripeService.expire_checkout_session(session.id)
    return _last_session(winner) or session
