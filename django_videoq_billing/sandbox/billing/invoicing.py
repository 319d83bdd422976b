"""An invoice's own life: draft, open, paid, void, uncollectible. Who pays and what follows is not known here."""

from __future__ import annotations

from typing import Any

from django_videoq_billing.sandbox.billing import charging, lines
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import invoices, payments
from django_videoq_billing.sandbox.store import Record

DRAFT_SECONDS = 3600
DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_update": "Subscription update",
    "subscription_cycle": "Subscription update",
}


def pending_items(box: Sandbox, customer: str, subscription: str | None) -> list[Record]:
    """Invoice items that wait: the subscription's own and those that belong to no subscription."""
    return [item for item in box.store.where("invoiceitem", customer=customer, invoice=None)
            if item["parent"] is None or item["parent"]["subscription_details"]["subscription"] == subscription]  # fmt: skip


def draft(
    box: Sandbox, customer: Record, entries: list[Record], *, subscription: Record | None = None, **given: Any
) -> Record:
    """A new draft with these lines; the caller emits invoice.created when its turn has come."""
    if subscription is not None:
        given |= {
            "parent": invoices.of_subscription(subscription),
            "discounts": list(subscription["discounts"]),
            "currency": subscription["currency"],
        }
    invoice = invoices.invoice(box, customer, _token=f"test_{box.ids.token(40)}", **given)
    fill(box, invoice, entries)
    return box.store.save(invoice)


def fill(box: Sandbox, invoice: Record, entries: list[Record]) -> None:
    for entry in entries:
        entry["invoice"] = invoice["id"]
    invoice["lines"]["data"] = entries
    invoice |= lines.totals(box.store, entries, invoice["discounts"])


def take_pending(box: Sandbox, invoice_id: str, waiting: list[Record]) -> list[Record]:
    """Turn waiting items into lines of an invoice; they wait no longer."""
    for item in waiting:
        item["invoice"] = invoice_id
        box.store.save(item)
    return [lines.pending_line(box, item) for item in waiting]


def method_for(box: Sandbox, invoice: Record) -> Record | None:
    """The payment method that an automatic attempt uses: the invoice's, the subscription's, the customer's."""
    subscription = box.store.get("subscription", invoices.subscription_of(invoice))
    customer = box.store.the("customer", invoice["customer"])
    key = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or customer["invoice_settings"]["default_payment_method"]
    )
    method = box.store.get("payment_method", key)
    return method if method is not None and method["customer"] == customer["id"] else None


def finalize(box: Sandbox, invoice: Record) -> None:
    """Open a draft: number, links, the customer's balance, a payment intent if there is something to pay."""
    if invoice["status"] != "draft":
        raise StripeError(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    customer = box.store.the("customer", invoice["customer"])
    now, balance = box.now(), customer["balance"]
    due = invoice["total"] + balance
    invoice |= {
        "status": "open", "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "effective_at": now, "automatically_finalizes_at": None, "next_payment_attempt": None, "starting_balance": balance,
        "ending_balance": min(0, due), "amount_due": max(0, due), "amount_remaining": max(0, due),
        "hosted_invoice_url": f"{box.config.url}/i/{invoice['_token']}",
        "invoice_pdf": f"{box.config.url}/i/{invoice['_token']}/pdf",
    }  # fmt: skip
    invoice["status_transitions"]["finalized_at"] = now
    customer["next_invoice_sequence"] += 1
    if invoice["amount_due"] > 0:
        _open_payment(box, invoice)
    box.store.save(invoice)
    box.emit("invoice.finalized", invoice)
    if min(0, due) != balance:
        with box.changing(customer, "customer.updated"):
            customer["balance"] = min(0, due)


def _open_payment(box: Sandbox, invoice: Record) -> None:
    method = method_for(box, invoice)
    intent = payments.payment_intent(
        box,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=DESCRIPTIONS.get(invoice["billing_reason"], f"Payment for Invoice {invoice['number']}"),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
        setup_future_usage="off_session",
        _invoice=invoice["id"],
    )
    payment = payments.invoice_payment(box, invoice, intent)
    invoice["_payment"] = payment["id"]
    box.store.save(intent)
    box.store.save(payment)


def intent_of(box: Sandbox, invoice: Record) -> Record | None:
    payment = box.store.get("invoice_payment", invoice["_payment"])
    return box.store.the("payment_intent", payment["payment"]["payment_intent"]) if payment else None


def settle(box: Sandbox, invoice: Record, *, out_of_band: bool = False) -> None:
    """Mark an open invoice paid and say so twice, as Stripe does."""
    now = box.now()
    paid = 0 if out_of_band else invoice["amount_due"]
    invoice |= {
        "status": "paid", "amount_paid": paid, "amount_remaining": 0, "attempted": True, "auto_advance": False,
        "next_payment_attempt": None, "amount_paid_off_stripe": invoice["amount_due"] if out_of_band else 0,
    }  # fmt: skip
    invoice["status_transitions"]["paid_at"] = now
    payment = box.store.get("invoice_payment", invoice["_payment"])
    if payment is not None and not out_of_band:
        payment |= {"status": "paid", "amount_paid": paid}
        payment["status_transitions"]["paid_at"] = now
        box.store.save(payment)
    box.store.save(invoice)
    box.emit("invoice.payment_succeeded", invoice)
    box.emit("invoice.paid", invoice)


def void(box: Sandbox, invoice: Record) -> None:
    _require(invoice, {"open", "uncollectible"}, "void")
    intent = intent_of(box, invoice)
    if intent is not None and intent["status"] == "processing":
        raise StripeError("You cannot void an invoice with a payment that is still processing.")
    _close(box, invoice, "void", "voided_at")
    payment = box.store.get("invoice_payment", invoice["_payment"])
    if intent is not None and payment is not None:
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = box.now()
        box.store.save(payment)
        charging.cancel_intent(box, intent, "void_invoice")
    box.emit("invoice.voided", invoice)


def mark_uncollectible(box: Sandbox, invoice: Record) -> None:
    _require(invoice, {"open"}, "mark uncollectible")
    _close(box, invoice, "uncollectible", "marked_uncollectible_at")
    box.emit("invoice.marked_uncollectible", invoice)


def _close(box: Sandbox, invoice: Record, status: str, stamp: str) -> None:
    invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"][stamp] = box.now()
    box.store.save(invoice)


def _require(invoice: Record, statuses: set[str], verb: str) -> None:
    if invoice["status"] not in statuses:
        raise StripeError(
            f"You can only {verb} an invoice that is {' or '.join(sorted(statuses))}; "
            f"this one is {invoice['status']}.",
            code="invoice_not_editable",
        )
