"""Changes that wait for their payment (`payment_behavior=pending_if_incomplete`): held, then applied or expired."""

from __future__ import annotations

from django_videoq_billing.sandbox.billing import changes, invoicing
from django_videoq_billing.sandbox.billing.changes import Change
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.store import Record

SECONDS = 23 * 3600
UPDATED = "customer.subscription.updated"


def hold(box: Sandbox, subscription: Record, change: Change, invoice: Record) -> None:
    """The subscription stays as it is; `pending_update` tells what it becomes once the invoice is paid.

    It waits no longer than the period or the trial lasts, which end together.
    """
    ends = subscriptions.period(subscription)[1]
    subscription["pending_update"] = {
        "billing_cycle_anchor": None, "expires_at": min(box.now() + SECONDS, ends), "subscription_items": change.items,
        "trial_end": None, "trial_from_plan": None,
    }  # fmt: skip
    subscription["_pending"] = {
        "invoice": invoice["id"], "items": change.items, "new_cycle": change.new_cycle,
    }  # fmt: skip


def waits_for(subscription: Record, invoice: Record) -> bool:
    return bool(subscription["_pending"]) and subscription["_pending"]["invoice"] == invoice["id"]


def settled(box: Sandbox, subscription: Record, invoice: Record) -> None:
    """The invoice that a change waits for was paid, or closed without being paid."""
    held = subscription["_pending"]
    paid = invoice["status"] == "paid"
    with box.changing(subscription, UPDATED):
        if paid:
            changes.install(box.store, subscription, Change(held["items"], [], held["new_cycle"]), box.now())
        subscription |= {"pending_update": None, "_pending": None}
    box.emit(f"customer.subscription.pending_update_{'applied' if paid else 'expired'}", subscription)


def expire(box: Sandbox, subscription: Record) -> None:
    """Time is up, or another change takes its place: the invoice is void and nothing changes."""
    invoice = box.store.the("invoice", subscription["_pending"]["invoice"])
    if invoice["status"] == "open":
        invoicing.void(box, invoice)
    settled(box, subscription, invoice)


def due_at(subscription: Record) -> int | None:
    return subscription["pending_update"]["expires_at"] if subscription["_pending"] else None
