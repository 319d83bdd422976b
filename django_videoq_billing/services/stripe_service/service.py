"""The one door to Stripe's SDK. Answers are plain values, errors are ours, and no key is global."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing.exceptions import (
    InvalidSignature,
    StripeFailure,
    StripeObjectMissing,
)
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_payloads import (
    checkout_session,
    invoice_state,
    subscription_state,
)
from django_videoq_billing.services.stripe_service import bodies
from django_videoq_billing.services.stripe_service.client import (
    Json,
    Params,
    client,
    each,
    given,
    idempotency_key,
    once,
    plain,
    stripe_errors,
    verify_signature,
)
from django_videoq_billing.types import (
    CheckoutSession,
    StripeCustomer,
    StripeInvoiceState,
    StripeSubscriptionState,
)

_SUBSCRIPTION_EXPAND = ["schedule"]
_LISTED_SUBSCRIPTION_EXPAND = ["data.schedule"]
_INVOICE_EXPAND = ["payments"]


class StripeService:
    """Every request this package makes to Stripe. Callable on the class, and stateless.

    Network time-outs and retries are the SDK's (STRIPE_TIMEOUT_SECONDS, STRIPE_MAX_NETWORK_RETRIES); every
    write carries an idempotency key, so that a repeated request happens once. All methods raise
    StripeFailure where Stripe refuses and StripeUnavailable where it cannot be reached.
    """

    # Customers

    @staticmethod
    def create_customer(user: AbstractBaseUser, *, after: str = "") -> StripeCustomer:
        """Create the user's customer. Racing calls make one; `after` is a deleted one that this one follows."""
        params = {
            "email": getattr(user, user.get_email_field_name(), "") or None,
            "name": user.get_username(),
            "metadata": {"user_id": str(user.pk)},
        }
        key = idempotency_key("customer", user.pk, {**params, "after": after} if after else params)
        with stripe_errors():
            created = client().v1.customers.create(given(params), {"idempotency_key": key})
        return StripeCustomer(id=created.id)

    @staticmethod
    def retrieve_customer(customer_id: str) -> Json:
        with stripe_errors():
            return plain(client().v1.customers.retrieve(customer_id))

    @staticmethod
    def create_portal_session(customer_id: str, return_url: str) -> str:
        """Return the address of a new session of Stripe's customer portal."""
        params: Any = {"customer": customer_id, "return_url": return_url}
        with stripe_errors():
            return client().v1.billing_portal.sessions.create(params, once()).url

    # Checkout

    @staticmethod
    def create_checkout_session(
        user: AbstractBaseUser,
        plan: SubscriptionPlan,
        success_url: str,
        cancel_url: str,
        *,
        customer_id: str = "",
        after: str = "",
    ) -> CheckoutSession:
        """Open a checkout page for the plan; two calls with the same arguments open the same page.

        Prefer `services.checkout.start_checkout`, which also refuses a second subscription and keeps one
        page open. Without a `customer_id` the user's customer is created on the way. `after` is the session
        this one follows, so that a new page can be opened once that one is closed. The plan's
        trial is for a customer who never had one.
        """
        customer_id = customer_id or StripeService.create_customer(user).id
        trial = bool(plan.trial_days) and not StripeService.has_tried(customer_id)
        params = bodies.checkout_params(user.pk, plan, customer_id, (success_url, cancel_url), trial=trial)
        key = idempotency_key("checkout", user.pk, {**params, "after": after})
        with stripe_errors():
            return checkout_session(
                plain(client().v1.checkout.sessions.create(params, {"idempotency_key": key}))
            )

    @staticmethod
    def retrieve_checkout_session(session_id: str) -> CheckoutSession:
        with stripe_errors():
            return checkout_session(plain(client().v1.checkout.sessions.retrieve(session_id)))

    @staticmethod
    def expire_checkout_session(session_id: str) -> None:
        """Close a page that nobody paid on; one that is closed already is fine, also at this very moment."""
        try:
            if not StripeService.retrieve_checkout_session(session_id).is_open:
                return
            with stripe_errors():
                client().v1.checkout.sessions.expire(session_id, options=once())
        except StripeObjectMissing:
            return
        except StripeFailure:
            if StripeService.retrieve_checkout_session(session_id).is_open:
                raise

    # Subscriptions

    @staticmethod
    def retrieve_subscription(subscription_id: str) -> StripeSubscriptionState:
        params: Any = {"expand": _SUBSCRIPTION_EXPAND}
        with stripe_errors():
            return subscription_state(plain(client().v1.subscriptions.retrieve(subscription_id, params)))

    @staticmethod
    def list_subscriptions(customer_id: str) -> list[StripeSubscriptionState]:
        """Return all subscriptions the customer ever had, ended ones too."""
        params: Any = {
            "customer": customer_id,
            "status": "all",
            "limit": 100,
            "expand": _LISTED_SUBSCRIPTION_EXPAND,
        }
        with stripe_errors():
            page = client().v1.subscriptions.list(params)
            return [subscription_state(plain(item)) for item in page.auto_paging_iter()]

    @staticmethod
    def has_tried(customer_id: str) -> bool:
        """Whether any subscription of the customer had a trial."""
        return any(state.trial_end for state in StripeService.list_subscriptions(customer_id))

    @staticmethod
    def cancel_subscription(subscription_id: str, at_period_end: bool = True) -> StripeSubscriptionState:
        """Cancel at the end of the period, or now. Cancelling what is already cancelled is safe."""
        with stripe_errors():
            subscriptions = client().v1.subscriptions
            if at_period_end:
                answer = subscriptions.update(
                    subscription_id,
                    {"cancel_at_period_end": True, "expand": _SUBSCRIPTION_EXPAND},
                    once(),
                )
                return subscription_state(plain(answer))
        try:
            with stripe_errors():
                answer = client().v1.subscriptions.cancel(
                    subscription_id, {"expand": _SUBSCRIPTION_EXPAND}, once()
                )
                return subscription_state(plain(answer))
        except StripeObjectMissing:  # what has ended cannot be cancelled, but it can be read
            return StripeService.retrieve_subscription(subscription_id)

    @staticmethod
    def reactivate_subscription(subscription_id: str) -> StripeSubscriptionState:
        """Undo a cancellation that has not taken effect."""
        return _update(subscription_id, {"cancel_at_period_end": False})

    @staticmethod
    def change_price(
        subscription: StripeSubscriptionState,
        price_id: str,
        *,
        end_trial: bool = False,
        may_wait: bool = False,
    ) -> StripeSubscriptionState:
        """Change the price at once and invoice the difference; where it cannot be paid nothing changes.

        With `may_wait` the change then waits for the invoice, a day at most, and a cancellation stays:
        https://docs.stripe.com/billing/subscriptions/pending-updates
        """
        change = bodies.change_params(subscription, price_id, end_trial=end_trial)
        if may_wait:
            return _update(subscription.stripe_id, {**change, "payment_behavior": "pending_if_incomplete"})
        strict = {"payment_behavior": "error_if_incomplete", "cancel_at_period_end": False}
        return _update(subscription.stripe_id, {**change, **strict})

    @staticmethod
    def schedule_price(subscription: StripeSubscriptionState, price_id: str) -> None:
        """Change the price at the end of the period: https://docs.stripe.com/billing/subscriptions/subscription-schedules"""
        schedule_id = subscription.schedule_id or StripeService._new_schedule(subscription.stripe_id)
        with stripe_errors():
            schedules = client().v1.subscription_schedules
            schedules.update(schedule_id, bodies.schedule_params(subscription, price_id), once())

    @staticmethod
    def _new_schedule(subscription_id: str) -> str:
        """Stripe refuses a second one; where a double click was faster it is that one."""
        try:
            with stripe_errors():
                schedules = client().v1.subscription_schedules
                return schedules.create({"from_subscription": subscription_id}, once()).id
        except StripeFailure:
            made = StripeService.retrieve_subscription(subscription_id).schedule_id
            if made is None:
                raise
            return made

    @staticmethod
    def release_schedule(schedule_id: str) -> None:
        """Drop a change that was scheduled; the subscription goes on as it is."""
        with stripe_errors():
            client().v1.subscription_schedules.release(schedule_id, options=once())

    @staticmethod
    def preview_price(
        subscription: StripeSubscriptionState, price_id: str, *, end_trial: bool = False
    ) -> Json:
        """Return the invoice that `change_price` would make now: https://docs.stripe.com/api/invoices/create_preview"""
        params: Any = {
            "customer": subscription.customer_id,
            "subscription": subscription.stripe_id,
            "subscription_details": bodies.change_params(subscription, price_id, end_trial=end_trial),
        }
        with stripe_errors():
            return plain(client().v1.invoices.create_preview(params))

    # Money

    @staticmethod
    def retrieve_invoice(invoice_id: str) -> StripeInvoiceState:
        with stripe_errors():
            return invoice_state(
                plain(client().v1.invoices.retrieve(invoice_id, {"expand": _INVOICE_EXPAND}))
            )

    @staticmethod
    def void_invoice(invoice_id: str) -> None:
        """Close an open invoice that nobody is to pay, and drop the change that waits for it."""
        with stripe_errors():
            client().v1.invoices.void_invoice(invoice_id, options=once())

    @staticmethod
    def list_charges(payment_intent_id: str) -> list[Json]:
        """Return every attempt to charge for one payment, failed ones too."""
        return list(each(client().v1.charges, {"payment_intent": payment_intent_id}))

    @staticmethod
    def retrieve(kind: str, object_id: str) -> Json:
        """Return one object of a collection of the API, such as ("refunds", "re_...")."""
        with stripe_errors():
            return plain(getattr(client().v1, kind).retrieve(object_id))

    @staticmethod
    def each(kind: str, params: Params | None = None) -> Iterator[Json]:
        """Yield every object of a collection of the API, page by page."""
        return each(getattr(client().v1, kind), params or {})

    @staticmethod
    def create(kind: str, params: Params, *, after: Any) -> Json:
        """Create one object. `after` is what was there before: two calls that saw the same make one object."""
        key = idempotency_key(kind, "", {**params, "after": after})
        with stripe_errors():
            return plain(getattr(client().v1, kind).create(dict(params), {"idempotency_key": key}))

    @staticmethod
    def update(kind: str, object_id: str, params: Params) -> Json:
        with stripe_errors():
            return plain(getattr(client().v1, kind).update(object_id, dict(params), once()))

    # Webhooks

    @staticmethod
    def verify_webhook_signature(payload: bytes, signature: str) -> Json:
        """Return the event that Stripe signed, checked on the raw body against every current secret.

        Raises InvalidSignature, or MalformedPayload for a signed body that is no event:
        https://docs.stripe.com/webhooks/signature
        """
        if not verify_signature(payload, signature):
            raise InvalidSignature.of_webhook()
        return bodies.read_event(payload)


def _update(subscription_id: str, changes: Params) -> StripeSubscriptionState:
    with stripe_errors():
        params: Any = {**changes, "expand": _SUBSCRIPTION_EXPAND}
        answer = client().v1.subscriptions.update(subscription_id, params, once())
        return subscription_state(plain(answer))
