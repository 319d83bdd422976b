"""Local rows and the mirror made anew from what Stripe has: after an outage, a restored backup, or a doubt."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import payments, stripe_mirror, stripe_sync
from django_videoq_billing.services.stripe_service import StripeService

BATCH = 200


def customers() -> int:
    """Return how many users are Stripe's customers."""
    return _rows().count()


def each_customer() -> Iterator[UserSubscription]:
    """Yield the row of every user who is Stripe's customer, read in batches."""
    last = 0
    while batch := list(_rows().filter(pk__gt=last).select_related("user", "plan").order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def rebuild(customer_id: str) -> None:
    """Bring subscription, ledger and mirror of one customer in line with Stripe. Safe to repeat."""
    stripe_sync.sync_customer(customer_id)
    try:
        _rebuild_ledger(customer_id)
        stripe_mirror.mirror_customer(customer_id)
    except StripeObjectMissing:
        return  # the customer is gone at Stripe, and the row knows that by now


def _rebuild_ledger(customer_id: str) -> None:
    for invoice in StripeService.each("invoices", {"customer": customer_id}):
        payments.record_invoice(invoice["id"])
    for charge in StripeService.each("charges", {"customer": customer_id, "expand": ["data.refunds"]}):
        for refund in charge["refunds"]["data"]:
            payments.record_refund(refund["id"])
        if charge["disputed"]:
            for dispute in StripeService.each("disputes", {"charge": charge["id"]}):
                payments.record_dispute(dispute["id"])


def _rows() -> QuerySet[UserSubscription]:
    return UserSubscription.objects.exclude(stripe_customer_id=None).exclude(stripe_customer_id="")
