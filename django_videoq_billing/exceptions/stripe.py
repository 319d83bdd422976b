"""What is refused around payment: by us before Stripe is asked, by Stripe, or because it cannot be reached."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.exceptions.core import BillingError


class AlreadyOnPlan(BillingError):
    """The user already has the plan that was chosen."""

    code = "already_on_plan"

    @classmethod
    def plan(cls, name: str) -> AlreadyOnPlan:
        return cls(_("You are already on %(name)s.") % {"name": name})


class InvalidRedirectUrl(BillingError):
    """A URL to come back to leads away from the site."""

    code = "invalid_redirect_url"

    @classmethod
    def field(cls, name: str) -> InvalidRedirectUrl:
        return cls(_("%(name)s must lead to this site.") % {"name": name}, {"field": name})


class SubscriptionExists(BillingError):
    """A second subscription would charge the user twice."""

    code = "subscription_exists"

    @classmethod
    def for_user(cls) -> SubscriptionExists:
        return cls(_("You already have a paid subscription; change its plan instead."))


class NotScheduledForCancellation(BillingError):
    """There is no pending cancellation to undo."""

    code = "not_scheduled_for_cancellation"

    @classmethod
    def for_user(cls) -> NotScheduledForCancellation:
        return cls(_("Your subscription is not about to end."))


class PermissionDenied(BillingError):
    """The user may not do this."""

    code = "permission_denied"

    @classmethod
    def staff_only(cls) -> PermissionDenied:
        return cls(_("Only staff may cancel at once; cancel at the end of the period instead."))


class StripeFailure(BillingError):
    """Stripe answered, and refused."""

    code = "stripe_error"

    @classmethod
    def declined(cls, decline_code: str | None) -> StripeFailure:
        return cls(
            _("Your card was declined. Try another card, or ask your bank."),
            {"reason": "card_declined", "decline_code": decline_code},
        )

    @classmethod
    def refused(cls) -> StripeFailure:
        return cls(_("The payment service refused this request."), {"reason": "refused"})


class StripeObjectMissing(StripeFailure):
    """Stripe has no such object, or has it no longer."""

    @classmethod
    def gone(cls) -> StripeObjectMissing:
        return cls(_("The payment service does not know this any more."), {"reason": "missing"})


class StripeAuthenticationRequired(StripeFailure):
    """The bank wants the cardholder to confirm the payment, as in 3-D Secure.

    `details["payment_url"]` is Stripe's page to confirm on, or None where there is nothing to confirm.
    """

    @classmethod
    def confirm_at(cls, payment_url: str) -> StripeAuthenticationRequired:
        return cls._because(
            _("Your bank asks you to confirm this payment. Your plan changes as soon as you have."),
            payment_url,
        )

    @classmethod
    def not_possible(cls) -> StripeAuthenticationRequired:
        return cls._because(_("Your bank asks you to confirm each payment with this card. Try another card."))

    @classmethod
    def while_scheduled(cls) -> StripeAuthenticationRequired:
        return cls._because(
            _(
                "Your bank asks you to confirm this payment. Take back the change or cancellation that is"
                " scheduled, then choose the plan again."
            )
        )

    @classmethod
    def _because(cls, message: Promise, payment_url: str | None = None) -> StripeAuthenticationRequired:
        return cls(message, {"reason": "authentication_required", "payment_url": payment_url})


class StripeUnavailable(BillingError):
    """Stripe did not answer, or asked to come back later. Nothing was changed here.

    `retry_after` is Stripe's wish in seconds, or ours where it says nothing.
    """

    code = "stripe_unavailable"
    retry_after: int

    def __init__(self, message: str | Promise, retry_after: int = 10) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @classmethod
    def after(cls, seconds: int | None = None) -> StripeUnavailable:
        message = _("The payment service cannot be reached at the moment. Try again soon.")
        return cls(message, seconds) if seconds else cls(message)


class InvalidSignature(BillingError):
    """The webhook was not signed with our secret, or too long ago."""

    code = "invalid_signature"

    @classmethod
    def of_webhook(cls) -> InvalidSignature:
        return cls(_("The signature of this webhook is not valid."))


class MalformedPayload(BillingError):
    """The webhook's body is signed, and still no event that this site can use."""

    code = "malformed_payload"

    @classmethod
    def not_an_event(cls) -> MalformedPayload:
        return cls(_("The body is not a Stripe event."))

    @classmethod
    def wrong_mode(cls) -> MalformedPayload:
        return cls(_("The event is of the other mode: test and live must not be mixed."))


class PayloadTooLarge(BillingError):
    """The webhook's body is larger than any event of Stripe."""

    code = "payload_too_large"

    @classmethod
    def more_than(cls, size: int) -> PayloadTooLarge:
        return cls(_("The body is larger than %(size)d bytes.") % {"size": size})
