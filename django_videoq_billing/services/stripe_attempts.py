"""Attempts to pay that failed: which was the first, and when that was known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Min

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.stripe_payloads import invoice_state, moment
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.types import StripeInvoiceState, StripeSubscriptionState


def first_failed_charge(invoice: StripeInvoiceState) -> dict[str, Any] | None:
    """Return the first attempt that failed, in Stripe's own records of the attempts."""
    failed = [
        charge
        for intent_id in invoice.payment_intent_ids
        for charge in StripeService.list_charges(intent_id)
        if charge["status"] == "failed"
    ]
    return min(failed, key=lambda charge: charge["created"], default=None)


def failing_since(state: StripeSubscriptionState) -> datetime | None:
    """Return when the first attempt to pay what is open for a subscription failed; None where nothing is open."""
    wanted = {"subscription": state.stripe_id, "status": "open", "expand": ["data.payments"]}
    open_invoices = StripeService.each("invoices", wanted)
    return min((_failed_at(invoice_state(invoice)) for invoice in open_invoices), default=None)


def _failed_at(invoice: StripeInvoiceState) -> datetime:
    """A card fails when it is charged. What a bank answers days later has its moment in the event alone.

    Where the cardholder was missing no charge was tried: then the invoice's own moment counts.
    """
    charge = first_failed_charge(invoice)
    if charge is None:
        return invoice.created
    charged_at = moment(charge["created"]) or invoice.created
    if (charge.get("payment_method_details") or {}).get("type") == "card":
        return charged_at
    told = WebhookEvent.objects.filter(
        type="invoice.payment_failed",
        created_at__gte=charged_at,
        payload__data__object__id=invoice.stripe_id,
    )
    first: datetime | None = told.aggregate(first=Min("created_at"))["first"]
    return first or charged_at
