"""Everything the package refuses, under one root. Each leaf has a `code` that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_videoq_billing.types import Reservation


class BillingError(Exception):
    """Root of all errors of this package.

    `message` is for the person who caused it and is translated when it is read; `details` is for programs
    and holds only JSON values and datetimes.
    """

    code = "billing_error"
    details: Mapping[str, Any] | None

    def __init__(self, message: str | Promise, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self._message = message
        self.details = details

    @property
    def message(self) -> str:
        return str(self._message)

    def __str__(self) -> str:
        return self.message


class NotAuthenticated(BillingError):
    """Nobody is signed in."""

    code = "not_authenticated"

    @classmethod
    def no_user(cls) -> NotAuthenticated:
        return cls(_("Sign in to continue."))


class AccountInactive(BillingError):
    """The account exists but was switched off."""

    code = "permission_denied"

    @classmethod
    def for_user(cls) -> AccountInactive:
        return cls(_("This account is not active."))


class InvalidRequest(BillingError):
    """The caller sent something that cannot be right, whatever the state of the account."""

    code = "invalid_request"

    @classmethod
    def bad_amount(cls, amount: object, maximum: int) -> InvalidRequest:
        return cls(
            _("The amount must be a whole number from 1 to %(maximum)d, not %(amount)s.")
            % {"maximum": maximum, "amount": f"{amount!r:.50}"}
        )

    @classmethod
    def no_amount(cls) -> InvalidRequest:
        return cls(_("The request does not say a valid amount."))

    @classmethod
    def unknown_metric(cls, metric: object, known: list[str]) -> InvalidRequest:
        return cls(
            _("Unknown metric %(metric)s; use one of: %(known)s.")
            % {"metric": f"{metric!r:.50}", "known": ", ".join(known)}
        )

    @classmethod
    def no_reason(cls) -> InvalidRequest:
        return cls(_("Say why."))

    @classmethod
    def in_the_past(cls) -> InvalidRequest:
        return cls(_("The end must lie in the future."))

    @classmethod
    def bad_key(cls, longest: int) -> InvalidRequest:
        return cls(
            _("The Idempotency-Key must have 1 to %(longest)d printable characters.") % {"longest": longest}
        )

    @classmethod
    def unsaved_video(cls) -> InvalidRequest:
        return cls(_("Save the video before it is transcribed."))

    @classmethod
    def deleted_video(cls) -> InvalidRequest:
        return cls(_("The video no longer exists."))

    @classmethod
    def unknown_job(cls) -> InvalidRequest:
        return cls(_("There is no such transcription job; it goes when its user is deleted."))

    @classmethod
    def unknown_reservation(cls) -> InvalidRequest:
        return cls(_("There is no such reservation."))


class InvalidPlan(BillingError):
    """There is no such plan, or it cannot be chosen."""

    code = "invalid_plan"

    @classmethod
    def unknown(cls, slug: str) -> InvalidPlan:
        return cls(_("There is no plan “%(slug)s”.") % {"slug": slug})

    @classmethod
    def not_for_sale(cls, name: str) -> InvalidPlan:
        return cls(_("%(name)s cannot be bought here.") % {"name": name})


class NoSubscription(BillingError):
    """The user has no subscription yet."""

    code = "no_subscription"

    @classmethod
    def for_user(cls) -> NoSubscription:
        return cls(_("You have no subscription yet."))


class NoUsage(BillingError):
    """The user has no usage to show yet."""

    code = "no_usage"

    @classmethod
    def for_user(cls) -> NoUsage:
        return cls(_("You have not used anything yet."))


class Conflict(BillingError):
    """What was asked for contradicts what has already happened."""

    code = "conflict"

    @classmethod
    def nothing_to_correct(cls) -> Conflict:
        return cls(_("The counter stands there already."))

    @classmethod
    def nothing_overdue(cls) -> Conflict:
        return cls(_("No payment is overdue."))

    @classmethod
    def key_in_progress(cls) -> Conflict:
        return cls(
            _("A request with this Idempotency-Key is still being worked on."), {"reason": "in_progress"}
        )

    @classmethod
    def key_completed(cls) -> Conflict:
        return cls(
            _("A request with this Idempotency-Key has already succeeded and was counted once."),
            {"reason": "completed"},
        )

    @classmethod
    def already_settled(cls, state: str) -> Conflict:
        return cls(_("This reservation was already settled (%(state)s).") % {"state": state})

    @classmethod
    def busy(cls) -> Conflict:
        return cls(_("Your subscription is being changed elsewhere at this moment. Try again."))

    @classmethod
    def not_billed(cls) -> Conflict:
        return cls(_("You have no paid subscription; choose a plan to start one."))

    @classmethod
    def payment_open(cls) -> Conflict:
        return cls(_("Settle the open payment first; then the plan can be changed."))

    @classmethod
    def paused(cls) -> Conflict:
        return cls(_("Your subscription is paused. Once it is resumed, the plan can be changed."))

    @classmethod
    def billed_by_stripe(cls) -> Conflict:
        return cls(_("This subscription is billed by Stripe; change it there."))

    @classmethod
    def job_state(cls, status: str) -> Conflict:
        return cls(_("This transcription job is already %(status)s.") % {"status": status})

    @classmethod
    def live_job(cls) -> Conflict:
        return cls(_("This video is already being transcribed, or has been."))


class QuotaExceeded(BillingError):
    """The operation would pass the plan's limit. Nothing was counted."""

    code = "limit_exceeded"
    reservation: Reservation

    def __init__(self, reservation: Reservation, message: str | Promise) -> None:
        super().__init__(
            message,
            {
                "resource": str(reservation.metric),
                "requested": reservation.amount,
                "current_usage": reservation.used,
                "limit": reservation.limit,
                "period_end": reservation.period.end,
            },
        )
        self.reservation = reservation


class UsageUnavailable(BillingError):
    """Usage cannot be counted at this moment. Nothing was admitted; come back after `retry_after` seconds."""

    code = "usage_unavailable"
    retry_after = 5

    @classmethod
    def no_answer(cls) -> UsageUnavailable:
        return cls(_("Usage cannot be counted at this moment. Try again in a few seconds."))

    @classmethod
    def busy(cls) -> UsageUnavailable:
        return cls(_("Too much is happening on this account at once. Try again in a few seconds."))
