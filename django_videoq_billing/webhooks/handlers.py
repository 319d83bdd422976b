"""What each event of Stripe leads to: fetch the object by its id and bring the local rows in line."""

from __future__ import annotations

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import payments, stripe_catalog, stripe_sync
from django_videoq_billing.webhooks.registry import handles


@handles(
    "customer.subscription.*",
    "subscription_schedule.*",
    "checkout.session.*",
    "customer.updated",
    "customer.deleted",
    "payment_method.*",  # the card itself is read from the mirror
)
def customer_changed(event: WebhookEvent) -> None:
    if event.customer_id:
        stripe_sync.sync_customer(event.customer_id)


@handles(
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.finalized",
    "invoice.voided",
    "invoice.marked_uncollectible",
)
def invoice_changed(event: WebhookEvent) -> None:
    payments.record_invoice(event.object_id)
    if event.customer_id:
        stripe_sync.sync_customer(event.customer_id)


@handles("charge.refunded")
def charge_refunded(event: WebhookEvent) -> None:
    payments.record_refunds_of_charge(event.object_id)


@handles("refund.*", "charge.refund.updated")
def refund_changed(event: WebhookEvent) -> None:
    payments.record_refund(event.object_id)


@handles("charge.dispute.*")
def dispute_changed(event: WebhookEvent) -> None:
    payments.record_dispute(event.object_id)


@handles("product.*", "price.*")
def catalog_changed(event: WebhookEvent) -> None:
    kind = event.type.partition(".")[0]
    stripe_catalog.report_archived(f"{kind}s", event.object_id)
