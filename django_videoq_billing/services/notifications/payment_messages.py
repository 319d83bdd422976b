"""About money: a payment that failed, what came of it, and money given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import Notification, PaymentTransaction, UserSubscription
from django_videoq_billing.money import display_money
from django_videoq_billing.services.entitlements import default_plan, has_access
from django_videoq_billing.services.notifications.telling import (
    Case,
    Kind,
    Message,
    Outdated,
    ensure,
    plan_text,
    tells,
)
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.types import StripeInvoiceState

Status = UserSubscription.Status
_OVERDUE = (Status.PAST_DUE, Status.UNPAID)
_STILL_OWED = ("open", "uncollectible")


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """What is to be paid, as Stripe has it now; `confirm` where the bank waits for the cardholder."""

    amount: str
    pay_url: str
    confirm: bool


@tells(Kind.PAYMENT_FAILED, Kind.PAYMENT_AUTHENTICATION)
def payment_failed(case: Case) -> Message:
    """One of two texts, by what the bank wants at this moment."""
    row, step, grace_end = case.row, int(case.facts.get("step", 0)), case.moment("grace_end")
    ensure(row.status in _OVERDUE, "It was paid, or the subscription has ended.")
    in_grace = has_access(row)
    ensure(step == 0 or in_grace, "The grace period is over.")
    ensure(not _overtaken(case.notification, step), "A later reminder says the same.")
    payment = _open_payment(row)
    if payment is None:
        raise Outdated("It was paid meanwhile.")
    kind = Kind.PAYMENT_AUTHENTICATION if payment.confirm else Kind.PAYMENT_FAILED
    ensure(get_settings().EMAILS[kind], f"{kind.label} is switched off.")
    return case.message(
        kind,
        plan=plan_text(row.plan),
        after=plan_text(default_plan()),
        payment=payment,
        grace_end=grace_end if in_grace else None,
        is_reminder=step > 0,
        is_last=step > 0 and step == _last_step(),
    )


@tells(Kind.GRACE_ENDED)
def grace_ended(case: Case) -> Message:
    row, grace_end = case.row, case.moment("grace_end")
    ensure(row.status in _OVERDUE and not has_access(row), "It was paid, or the subscription has ended.")
    payment = _open_payment(row)
    if payment is None:
        raise Outdated("It was paid meanwhile.")
    return case.message(
        plan=plan_text(row.plan), after=plan_text(default_plan()), payment=payment, grace_end=grace_end
    )


@tells(Kind.REFUND)
def refund(case: Case) -> Message:
    line = PaymentTransaction.objects.filter(pk=case.facts["transaction"], user_id=case.user.pk).first()
    if line is None:
        raise Outdated("The line of the ledger is not the user's any more.")
    failed = PaymentTransaction.objects.filter(
        stripe_object_id=line.stripe_object_id, type=line.type, status=PaymentTransaction.Status.FAILED
    )
    ensure(not failed.exists(), "The refund failed at the bank.")
    return case.message(amount=_money(abs(line.amount_cents), line.currency), at=line.created_at)


def _open_payment(row: UserSubscription) -> OpenPayment | None:
    """Ask Stripe for the invoice that is to be paid; None where there is none, or it was paid."""
    try:
        latest = StripeService.retrieve_subscription(str(row.stripe_subscription_id)).latest_invoice_id
        invoice = StripeService.retrieve_invoice(latest) if latest else None
    except StripeObjectMissing:
        return None
    if invoice is None or invoice.status not in _STILL_OWED:
        return None
    return OpenPayment(
        amount=_money(invoice.amount_due, invoice.currency),
        pay_url=invoice.hosted_invoice_url,
        confirm=_waits_for_the_cardholder(invoice),
    )


def _waits_for_the_cardholder(invoice: StripeInvoiceState) -> bool:
    intents = [StripeService.retrieve("payment_intents", pk) for pk in invoice.payment_intent_ids]
    return any(map(_wants_confirmation, intents))


def _wants_confirmation(intent: dict[str, Any]) -> bool:
    """https://docs.stripe.com/billing/subscriptions/overview#requires-action"""
    error = intent.get("last_payment_error") or {}
    return intent["status"] == "requires_action" or (
        intent["status"] == "requires_payment_method"
        and "authentication_required" in (error.get("code"), error.get("decline_code"))
    )


def _overtaken(notification: Notification, step: int) -> bool:
    """Whether a later step of the same failure is written down already: then this one is late."""
    later = Notification.objects.filter(
        user_id=notification.user_id, kind=notification.kind, created_at__gt=notification.created_at
    )
    of_the_same = notification.facts["grace_end"]
    return any(
        facts.get("grace_end") == of_the_same and int(facts.get("step", 0)) > step
        for facts in later.values_list("facts", flat=True)
    )


def _last_step() -> int:
    """The last reminder within the grace period, by its day."""
    grace = get_settings().GRACE_PERIOD_DAYS
    return max((day for day in get_settings().PAYMENT_REMINDER_DAYS if day < grace), default=0)


def _money(amount: int, currency: str) -> str:
    return display_money(amount, currency, get_language() or "en")
