"""From a free plan to a paid one: Stripe's checkout page. Nothing is decided here; the webhook decides."""

from __future__ import annotations

import logging

from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing import instruments
from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    Conflict,
    InvalidPlan,
    StripeObjectMissing,
    SubscriptionExists,
)
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan, ensure_subscription
from django_videoq_billing.services.stripe_catalog import require_price
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_sync import sync_customer
from django_videoq_billing.types import CheckoutSession

logger = logging.getLogger("django_videoq_billing")


def start_checkout(
    user: AbstractBaseUser, plan: SubscriptionPlan, success_url: str, cancel_url: str
) -> CheckoutSession:
    """Open a checkout page for a paid plan, or return the one that is open already.

    A user has at most one open page, so two racing calls cannot end in two subscriptions. Raises
    AlreadyOnPlan, SubscriptionExists (change the plan instead), InvalidPlan, or Conflict for a page that is
    being opened for another plan at the same moment.
    """
    with instruments.span("checkout", plan=plan.slug):
        session = _page_for(user, plan, success_url, cancel_url)
    logger.info("checkout_started", extra={"user_id": str(user.pk), "plan": plan.slug})
    return session


def _page_for(
    user: AbstractBaseUser, plan: SubscriptionPlan, success_url: str, cancel_url: str
) -> CheckoutSession:
    subscription = ensure_subscription(user)
    if effective_plan(subscription).pk != plan.pk:
        if plan.is_free:
            raise InvalidPlan.not_for_sale(plan.name)
        require_price(plan)
    last_page = subscription.stripe_checkout_session_id
    previous = _last_session(last_page)
    if previous is not None and previous.is_open and not _offers(previous, plan):
        # Before Stripe is asked for subscriptions: then a payment that was faster is among them.
        StripeService.expire_checkout_session(previous.id)
        previous = None
    if subscription.stripe_customer_id:
        # A webhook may be on its way: only Stripe knows what was paid for or has ended.
        subscription = sync_customer(subscription.stripe_customer_id, in_request=True) or subscription
    if effective_plan(subscription).pk == plan.pk:
        raise AlreadyOnPlan.plan(plan.name)
    if subscription.is_billed:
        raise SubscriptionExists.for_user()
    if previous is not None and previous.is_open and not _is_gone(previous.customer_id):
        return previous
    session = _open_page(user, subscription, plan, success_url, cancel_url, after=last_page)
    return _remember(subscription, session, last_page)


def _open_page(
    user: AbstractBaseUser,
    subscription: UserSubscription,
    plan: SubscriptionPlan,
    *urls: str,
    after: str,
) -> CheckoutSession:
    """Open a page for the user's customer, or, where somebody deleted that one at Stripe, for a new customer."""

    def open_for(customer_id: str) -> CheckoutSession:
        return StripeService.create_checkout_session(user, plan, *urls, customer_id=customer_id, after=after)

    customer_id = ensure_customer(user, subscription)
    try:
        return open_for(customer_id)
    except StripeObjectMissing:
        if not _is_gone(customer_id):
            raise
        return open_for(_follow_customer(user, subscription, customer_id))


def ensure_customer(user: AbstractBaseUser, subscription: UserSubscription) -> str:
    """Return the user's customer at Stripe, created on first need; racing calls end with one."""
    return subscription.stripe_customer_id or _follow_customer(user, subscription, None)


def _follow_customer(user: AbstractBaseUser, subscription: UserSubscription, previous: str | None) -> str:
    """Create the customer that follows none, or one that was deleted at Stripe, and return the one that counts."""
    created = StripeService.create_customer(user, after=previous or "").id
    row = UserSubscription.objects.filter(pk=subscription.pk)
    row.filter(stripe_customer_id=previous).update(stripe_customer_id=created)
    return row.values_list("stripe_customer_id", flat=True).get() or created


def _offers(page: CheckoutSession, plan: SubscriptionPlan) -> bool:
    """Whether the page is for this plan, at the price that it has now."""
    return (page.plan_id, page.price_id) == (str(plan.pk), plan.stripe_price_id)


def _is_gone(customer_id: str) -> bool:
    return bool(StripeService.retrieve_customer(customer_id).get("deleted"))


def _last_session(session_id: str) -> CheckoutSession | None:
    try:
        return StripeService.retrieve_checkout_session(session_id) if session_id else None
    except StripeObjectMissing:
        return None


def _remember(subscription: UserSubscription, session: CheckoutSession, last_page: str) -> CheckoutSession:
    """Keep the page as the user's one open page. Whoever comes second closes its own and takes the first."""
    row = UserSubscription.objects.filter(pk=subscription.pk)
    unchanged = row.filter(stripe_checkout_session_id=last_page)
    if unchanged.update(stripe_checkout_session_id=session.id):
        return session
    winner_id = row.values_list("stripe_checkout_session_id", flat=True).get()
    if winner_id == session.id:
        return session
    StripeService.expire_checkout_session(session.id)
    winner = _last_session(winner_id)
    if winner is None or winner.price_id != session.price_id:
        raise Conflict.busy()
    return winner
