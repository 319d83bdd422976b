"""How a subscription's status follows its invoices, and how it ends."""

from __future__ import annotations

from django_videoq_billing.sandbox.billing import invoicing, pending
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import invoices
from django_videoq_billing.sandbox.store import Record

UPDATED = "customer.subscription.updated"
ENDED = frozenset({"canceled", "incomplete_expired"})
RECOVERABLE = frozenset({"incomplete", "past_due", "unpaid"})


def invoices_of(box: Sandbox, subscription: Record) -> list[Record]:
    return [
        invoice
        for invoice in box.store.all("invoice")
        if invoices.subscription_of(invoice) == subscription["id"]
    ]


def closed(box: Sandbox, invoice: Record) -> None:
    """An invoice was paid, voided or given up: its subscription is in order again if it was the latest."""
    subscription = box.store.get("subscription", invoices.subscription_of(invoice))
    if subscription is not None and pending.waits_for(subscription, invoice):
        pending.settled(box, subscription, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] not in RECOVERABLE:
        return
    if subscription["status"] == "incomplete" and invoice["status"] != "paid":
        expire(box, subscription)
        return
    with box.changing(subscription, UPDATED):
        subscription["status"] = "active"


def payment_started(box: Sandbox, invoice: Record) -> None:
    """The first payment is on its way."""
    subscription = box.store.get("subscription", invoices.subscription_of(invoice))
    if subscription is not None and subscription["status"] == "incomplete":
        with box.changing(subscription, UPDATED):
            subscription["status"] = "active"


def payment_failed(box: Sandbox, invoice: Record, *, exhausted: bool) -> None:
    """A payment failed: past_due at first, then what the account says once the retries are used up."""
    subscription = box.store.get("subscription", invoices.subscription_of(invoice))
    if subscription is None or subscription["status"] in ENDED | {"incomplete"}:
        return
    if pending.waits_for(subscription, invoice):
        return
    after = box.switches.after_retries
    if exhausted and after == "cancel":
        end(box, subscription, "payment_failed")
        return
    with box.changing(subscription, UPDATED):
        subscription["status"] = "unpaid" if exhausted and after == "unpaid" else "past_due"


def end(box: Sandbox, subscription: Record, reason: str | None, *, details: Record | None = None) -> None:
    """Cancel for good. Open invoices stay, but nothing is collected any more."""
    now = box.now()
    cause = {"reason": reason} if reason else {}
    subscription |= {
        "pending_update": None, "_pending": None, "status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": {**subscription["cancellation_details"], **cause, **(details or {})},
    }  # fmt: skip
    for invoice in invoices_of(box, subscription):
        if invoice["status"] in {"draft", "open"}:
            invoice |= {
                "auto_advance": False,
                "next_payment_attempt": None,
                "automatically_finalizes_at": None,
            }
            box.store.save(invoice)
    schedule = box.store.get("subscription_schedule", subscription["schedule"])
    box.store.save(subscription)
    box.emit("customer.subscription.deleted", subscription)
    if schedule is not None and schedule["status"] == "active":
        schedule |= {"status": "canceled", "canceled_at": now, "current_phase": None}
        box.store.save(schedule)
        box.emit("subscription_schedule.canceled", schedule)


def expire(box: Sandbox, subscription: Record) -> None:
    """The first payment never came: 23 hours are over."""
    now = box.now()
    with box.changing(subscription, UPDATED):
        subscription |= {"status": "incomplete_expired", "ended_at": now, "canceled_at": now}
    invoice = box.store.get("invoice", subscription["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        invoicing.void(box, invoice)
