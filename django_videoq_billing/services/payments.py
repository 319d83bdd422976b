"""The ledger: what Stripe says was paid, failed, given back or disputed, each written down once.

Every line is derived from the present state of Stripe's object, never from the order of events, so that late,
repeated and lost events end in the same lines.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import Notification, PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import outbox
from django_videoq_billing.services.stripe_attempts import first_failed_charge
from django_videoq_billing.services.stripe_payloads import id_of, moment
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_sync import plan_sold_at
from django_videoq_billing.signals import payment_failed, payment_succeeded
from django_videoq_billing.types import StripeInvoiceState

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status

_PAYMENTS = (Type.SUBSCRIPTION_PAYMENT, Type.PRORATION)
WON = ("won", "warning_closed", "prevented")
INQUIRY = ("warning_needs_response", "warning_under_review", "warning_closed")


def record_invoice(invoice_id: str) -> list[PaymentTransaction]:
    """Write what is missing for an invoice: its payment, and the attempt that failed before it, if any."""
    try:
        invoice = StripeService.retrieve_invoice(invoice_id)
    except StripeObjectMissing:
        return []
    row = _row_of(invoice.customer_id)
    if row is None or max(invoice.amount_paid, invoice.amount_due) == 0:
        return []
    kind = Type.PRORATION if invoice.billing_reason == "subscription_update" else Type.SUBSCRIPTION_PAYMENT
    line = {
        "user_id": row.user_id,
        "plan": _plan_of(invoice),
        "stripe_object_id": invoice.stripe_id,
        "currency": invoice.currency,
        "type": kind,
        "description": invoice.description[:500],
        "invoice_url": invoice.hosted_invoice_url,
        "invoice_pdf": invoice.invoice_pdf,
    }
    lines = []
    failed = first_failed_charge(invoice)
    if failed is not None:
        amount = invoice.amount_due or invoice.amount_paid
        lines.append(
            _record({**line, "status": Status.FAILED, "amount_cents": amount}, moment(failed["created"]))
        )
    if invoice.status == "paid" and invoice.amount_paid:
        paid = {**line, "status": Status.SUCCEEDED, "amount_cents": invoice.amount_paid}
        lines.append(_record(paid, invoice.paid_at or invoice.created))
    return lines


def record_refund(refund_id: str) -> PaymentTransaction | None:
    """Write money given back; a refund that failed at the bank is written back again."""
    refund = _found("refunds", refund_id)
    if refund is None or refund["status"] not in ("succeeded", "failed"):
        return None
    line = _line_about(refund, Type.SUBSCRIPTION_REFUND)
    if line is None:
        return None
    at = moment(refund["created"])
    failed = refund["status"] == "failed"
    refunded = {**line, "status": Status.REFUNDED, "amount_cents": -refund["amount"]}
    given = _record(refunded, at, tell=not failed)
    if failed:
        _record({**line, "status": Status.FAILED, "amount_cents": refund["amount"]}, at)
    return given


def record_refunds_of_charge(charge_id: str) -> None:
    """Write every refund of a charge: the event names the charge alone."""
    for refund in StripeService.each("refunds", {"charge": charge_id}):
        record_refund(refund["id"])


def record_dispute(dispute_id: str) -> PaymentTransaction | None:
    """Write money that a bank took back, and that it came again if the dispute was won."""
    dispute = _found("disputes", dispute_id)
    if dispute is None or dispute["status"] in INQUIRY:
        return None
    line = _line_about(dispute, Type.DISPUTE)
    if line is None:
        return None
    at = moment(dispute["created"])
    taken = _record({**line, "status": Status.DISPUTED, "amount_cents": -dispute["amount"]}, at)
    if dispute["status"] in WON:
        _record({**line, "status": Status.SUCCEEDED, "amount_cents": dispute["amount"]}, at)
    return taken


def payment_page(row: UserSubscription) -> str:
    """Return Stripe's page to pay, or to confirm, what is overdue, or "" where nothing is.

    Asks Stripe: a renewal that waits for the cardholder's confirmation has not failed, and has no line here.
    """
    if not row.stripe_subscription_id:
        return ""
    overdue = {"subscription": row.stripe_subscription_id, "status": "open"}
    newest = next(StripeService.each("invoices", overdue), None)
    return str(newest["hosted_invoice_url"] or "") if newest else ""


def _found(kind: str, object_id: str) -> dict[str, Any] | None:
    try:
        return StripeService.retrieve(kind, object_id)
    except StripeObjectMissing:
        return None


def _line_about(subject: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the common fields of a line about a charge, or None for a stranger's charge."""
    charge_id = id_of(subject.get("charge"))
    charge = _found("charges", charge_id) if charge_id else None
    payer = _payer_of(charge) if charge else None
    if payer is None:
        return None
    return {
        "user_id": payer.user_id,
        "stripe_object_id": subject["id"],
        "currency": subject["currency"].upper(),
        "type": kind,
        "description": (subject.get("reason") or "").replace("_", " "),
    }


def _payer_of(charge: dict[str, Any]) -> UserSubscription | PaymentTransaction | None:
    """Return what names the user who paid: the customer's row, or the line that was written for the payment.

    The line, where the customer was deleted at Stripe and another has followed, or the user is gone: then it
    names nobody, and a line that follows it does not either.
    """
    row = _row_of(id_of(charge.get("customer")) or "")
    intent_id = id_of(charge.get("payment_intent"))
    if row is not None or intent_id is None:
        return row
    paid = {"payment": {"type": "payment_intent", "payment_intent": intent_id}}
    invoices = [id_of(payment["invoice"]) for payment in StripeService.each("invoice_payments", paid)]
    lines = PaymentTransaction.objects.filter(stripe_object_id__in=invoices, status=Status.SUCCEEDED)
    return lines.first()


def _row_of(customer_id: str) -> UserSubscription | None:
    return UserSubscription.objects.filter(stripe_customer_id=customer_id).first() if customer_id else None


def _plan_of(invoice: StripeInvoiceState) -> SubscriptionPlan | None:
    """Return the plan that was charged: the last line's, as a plan change credits the old one first."""
    plans = [plan_sold_at(*price) for price in invoice.prices]
    return next((plan for plan in reversed(plans) if plan), None)


def _record(line: dict[str, Any], at: datetime | None, *, tell: bool = True) -> PaymentTransaction:
    """Insert the line unless it is there, and announce a new one after the commit.

    The user is told of money that was given back, unless `tell` is False.
    """
    identity = {name: line.pop(name) for name in ("stripe_object_id", "type", "status")}
    with transaction.atomic():
        row, created = PaymentTransaction.objects.get_or_create(
            **identity, defaults={**line, "created_at": at or timezone.now()}
        )
        if created and row.type in _PAYMENTS and row.status in (Status.SUCCEEDED, Status.FAILED):
            signal = payment_succeeded if row.status == Status.SUCCEEDED else payment_failed
            transaction.on_commit(
                lambda: signal.send_robust(PaymentTransaction, transaction=row), robust=True
            )
        if created and tell and row.user_id and row.status == Status.REFUNDED:
            facts = {"transaction": row.pk}
            outbox.add(Notification.Kind.REFUND, row.user_id, str(row.pk), facts, happened_at=row.created_at)
    return row
