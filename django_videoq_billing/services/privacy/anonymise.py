"""Taking a person out of what is kept, without losing the books.

The user's own row stays: it is the host's. Stripe's customer is kept there too, but names the user no more.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, StripeObjectMissing
from django_videoq_billing.models import (
    EmailPreference,
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    TranscriptionJob,
    UsageCorrection,
    UsageReservation,
    UserSubscription,
)
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.services.plan_changes import end_billing
from django_videoq_billing.services.privacy import inbox_payloads
from django_videoq_billing.services.stripe_rebuild import rebuild_ledger
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_sync import sync_customer
from django_videoq_billing.services.usage_tracker import flush_usage

NO_REASON = "-"
"""What is left of a sentence that support wrote, and that may name the person."""


class StillBilled(Conflict):
    """A subscription is alive at Stripe, so the person cannot be forgotten yet."""

    @classmethod
    def for_user(cls) -> StillBilled:
        return cls("A subscription is still alive at Stripe. Let it end first, or cancel it on the way.")


@dataclass(frozen=True, slots=True)
class Anonymised:
    """How many lines of each kind there are, or were; `open_jobs` are left until they are done."""

    payments: int
    reservations: int
    jobs: int
    open_jobs: int
    events: int
    mirrored: int
    emails: int
    reasons: int
    stripe_ids: bool


def what_there_is(user: AbstractBaseUser) -> Anonymised:
    """Count what `anonymise` would change. Asks Stripe nothing and writes nothing."""
    row = UserSubscription.objects.filter(user_id=user.pk).first()
    customer_id = (row and row.stripe_customer_id) or ""
    return Anonymised(
        payments=_payments(user).count(),
        reservations=_reservations(user).count(),
        jobs=_jobs(user).count(),
        open_jobs=_open_jobs(user),
        events=inbox_payloads.count(customer_id) if customer_id else 0,
        mirrored=stripe_mirror.rows_of_customer(customer_id) if customer_id else 0,
        emails=sum(rows.count() for rows in _emails(user)),
        reasons=sum(rows.count() for rows in _reasons(user)),
        stripe_ids=bool(customer_id or (row and row.stripe_subscription_id)),
    )


def anonymise(user: AbstractBaseUser, *, cancel: bool = False) -> Anonymised:
    """Take the user out of the ledger, the inbox, the mirror and the details; return what was changed.

    Raises StillBilled while a subscription is alive, unless it is to be `cancel`led, which happens at once. Safe
    to stop anywhere and to run again: Stripe's customer is forgotten last. What Stripe sends later about
    customers who were anonymised is scrubbed by the next run, whomever it is for. Raises Conflict where
    the subscription changes at the same moment, and what Stripe or the usage store raise.
    """
    row = UserSubscription.objects.filter(user_id=user.pk).first()
    customer_id = (row and row.stripe_customer_id) or ""
    if row and customer_id:
        _leave_stripe(user, row, cancel)
    flush_usage()
    mirrored = stripe_mirror.forget_customer(customer_id) if customer_id else 0
    events = inbox_payloads.scrub({*inbox_payloads.remembered(), *filter(None, [customer_id])})
    with transaction.atomic():
        if row:
            _forget_stripe(row)
        return Anonymised(
            payments=_payments(user).update(user=None, invoice_url="", invoice_pdf=""),
            reservations=_reservations(user).update(key=None),
            jobs=_jobs(user).update(error_message="", key="", updated_at=timezone.now()),
            open_jobs=_open_jobs(user),
            events=events,
            mirrored=mirrored,
            emails=sum(rows.delete()[0] for rows in _emails(user)),
            reasons=sum(rows.update(reason=NO_REASON) for rows in _reasons(user)),
            stripe_ids=bool(customer_id),
        )


def _leave_stripe(user: AbstractBaseUser, row: UserSubscription, cancel: bool) -> None:
    """See that nothing charges the user any more, and that the ledger has all there was."""
    customer_id = str(row.stripe_customer_id)
    if cancel:
        end_billing(user.pk)
    else:
        if row.stripe_checkout_session_id:
            # First, so that a payment that was faster is among the subscriptions.
            StripeService.expire_checkout_session(row.stripe_checkout_session_id)
        with suppress(StripeObjectMissing):
            if any(state.is_alive for state in StripeService.list_subscriptions(customer_id)):
                raise StillBilled.for_user()
    sync_customer(customer_id)
    with suppress(StripeObjectMissing):  # the customer was deleted at Stripe
        rebuild_ledger(customer_id)
        # `sync_stripe` would find a customer that names the user, and bind it again.
        StripeService.update("customers", customer_id, {"metadata": {"user_id": ""}})


def _forget_stripe(before: UserSubscription) -> None:
    """Take Stripe's ids out of the row, unless a checkout was begun since it was looked at."""
    row = UserSubscription.objects.select_for_update().get(pk=before.pk)
    ids: dict[str, Any] = {
        "stripe_customer_id": None,
        "stripe_subscription_id": None,
        "stripe_checkout_session_id": "",
    }
    unchanged = ("stripe_customer_id", "stripe_checkout_session_id")
    if row.is_billed or any(getattr(row, name) != getattr(before, name) for name in unchanged):
        raise Conflict.busy()
    for name, nothing in ids.items():
        setattr(row, name, nothing)
    row.save(update_fields=[*ids, "updated_at"])


def _payments(user: AbstractBaseUser) -> QuerySet[PaymentTransaction]:
    return PaymentTransaction.objects.filter(user_id=user.pk).order_by()


def _emails(user: AbstractBaseUser) -> list[QuerySet[Any]]:
    """What was sent or is to be, and what the user has chosen about it."""
    return [model._default_manager.filter(user_id=user.pk) for model in (Notification, EmailPreference)]


def _reasons(user: AbstractBaseUser) -> list[QuerySet[Any]]:
    """What support has written about the user."""
    mine = [model._default_manager.filter(user_id=user.pk) for model in (ExtraAllowance, UsageCorrection)]
    return [rows.exclude(reason=NO_REASON).order_by() for rows in mine]


def _reservations(user: AbstractBaseUser) -> QuerySet[UsageReservation]:
    return UsageReservation.objects.filter(user_id=user.pk, key__isnull=False).order_by()


def _jobs(user: AbstractBaseUser) -> QuerySet[TranscriptionJob]:
    done = TranscriptionJob.objects.filter(user_id=user.pk).exclude(status__in=TranscriptionJob.LIVE_STATUSES)
    return done.filter(~Q(error_message="") | ~Q(key="")).order_by()


def _open_jobs(user: AbstractBaseUser) -> int:
    live = TranscriptionJob.objects.filter(user_id=user.pk, status__in=TranscriptionJob.LIVE_STATUSES)
    return live.count()
