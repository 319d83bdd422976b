"""What time does to a subscription: renewal, end of trial, cancellation at its date, pause and resumption."""

from __future__ import annotations

from django_videoq_billing.sandbox.billing import (
    changes,
    collection,
    discounts,
    invoicing,
    lines,
    pending,
    periods,
    statuses,
)
from django_videoq_billing.sandbox.billing import subscriptions as moves
from django_videoq_billing.sandbox.billing.statuses import UPDATED
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.params import Params
from django_videoq_billing.sandbox.store import Record

INCOMPLETE_SECONDS = 23 * 3600
TRIAL_NOTICE_SECONDS = 3 * DAY


def due_at(subscription: Record) -> int | None:
    """When a subscription wants attention next."""
    status = subscription["status"]
    if status in statuses.ENDED:
        return None
    if status == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_SECONDS
    moments = [subscription["cancel_at"], pending.due_at(subscription), resumes_at(subscription)]
    if status != "paused":
        moments.append(subscriptions.period(subscription)[1])
    if status == "trialing" and not subscription["_trial_notice"]:
        moments.append(subscription["trial_end"] - TRIAL_NOTICE_SECONDS)
    return min((moment for moment in moments if moment is not None), default=None)


def resumes_at(subscription: Record) -> int | None:
    """When a pause of collection ends by itself."""
    pause = subscription["pause_collection"]
    return pause["resumes_at"] if pause else None


def act(box: Sandbox, subscription: Record) -> None:
    """The agenda's call; one thing at a time, the agenda comes back."""

    def has_come(moment: int | None) -> bool:
        return moment is not None and moment <= box.now()

    if subscription["status"] == "incomplete":
        statuses.expire(box, subscription)
    elif has_come(subscription["cancel_at"]):
        statuses.end(box, subscription, "cancellation_requested")
    elif has_come(pending.due_at(subscription)):
        pending.expire(box, subscription)
    elif has_come(resumes_at(subscription)):
        with box.changing(subscription, UPDATED):
            subscription["pause_collection"] = None
    elif subscription["status"] == "trialing" and not has_come(subscription["trial_end"]):
        subscription["_trial_notice"] = True
        box.store.save(subscription)
        box.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["status"] == "trialing":
        end_trial(box, subscription)
    else:
        renew(box, subscription)


def end_trial(box: Sandbox, subscription: Record) -> None:
    """Into the first paid period, unless there is no payment method and the settings say cancel or pause."""
    choice = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if moves.method_of(box, subscription) is None and choice == "cancel":
        statuses.end(box, subscription, "payment_failed")
    elif moves.method_of(box, subscription) is None and choice == "pause":
        with box.changing(subscription, UPDATED):
            subscription["status"] = "paused"
        box.emit("customer.subscription.paused", subscription)
    else:
        renew(box, subscription)


def renew(box: Sandbox, subscription: Record, *, items: list[Record] | None = None) -> None:
    """The next period and its draft invoice: subscription.updated, invoice.created.

    `items` are what a schedule's new phase bills from now on; another interval starts the cycle afresh.
    """
    before = subscriptions.period(subscription)
    with box.changing(subscription, UPDATED):
        if items is not None:
            if lines.interval_of(box.store, items[0]) != lines.interval_of(
                box.store, subscriptions.items(subscription)[0]
            ):
                subscription["billing_cycle_anchor"] = before[1]
            subscription["items"]["data"] = items
        interval, count = lines.interval_of(box.store, subscriptions.items(subscription)[0])
        anchor = subscription["billing_cycle_anchor"]
        end = periods.boundary_after(anchor, interval, count, before[1])
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        subscriptions.set_period(subscription, before[1], end)
        discounts.drop_spent(box, subscription)
        invoice = draft_renewal(box, subscription, before)
    box.emit("invoice.created", invoice)
    settle_paused(box, subscription, invoice)


def draft_renewal(box: Sandbox, subscription: Record, before: tuple[int, int]) -> Record:
    """The draft that waits its hour; it stays a draft while the subscription is unpaid or collection is paused."""
    customer = box.store.the("customer", subscription["customer"])
    pause = subscription["pause_collection"]
    held = subscription["status"] == "unpaid" or (pause is not None and pause["behavior"] == "keep_as_draft")
    finalizes_at = None if held or pause else box.now() + invoicing.DRAFT_SECONDS
    invoice = invoicing.draft(
        box, customer, [], subscription=subscription, billing_reason="subscription_cycle",
        period_start=before[0], period_end=before[1], auto_advance=not held,
        automatically_finalizes_at=finalizes_at, next_payment_attempt=finalizes_at,
    )  # fmt: skip
    waiting = invoicing.pending_items(box, customer["id"], subscription["id"])
    pending = invoicing.take_pending(box, invoice["id"], waiting)
    invoicing.fill(box, invoice, pending + lines.period_lines(box, subscription))
    subscription["latest_invoice"] = invoice["id"]
    return box.store.save(invoice)


def settle_paused(box: Sandbox, subscription: Record, invoice: Record) -> None:
    """While collection is paused a renewal's invoice is voided or given up at once."""
    pause = subscription["pause_collection"]
    if pause is None or pause["behavior"] == "keep_as_draft":
        return
    invoicing.finalize(box, invoice)
    if invoice["amount_due"] == 0:
        invoicing.settle(box, invoice)
    elif pause["behavior"] == "void":
        collection.void(box, invoice)
    else:
        collection.mark_uncollectible(box, invoice)


def resume(box: Sandbox, subscription: Record, params: Params) -> Record:
    """Resume a subscription that paused at the end of its trial: a new period from now, paid at once."""
    if subscription["status"] != "paused":
        raise StripeError(
            f"Only subscriptions in the `paused` status can be resumed; this one is `{subscription['status']}`.",
            param="subscription",
        )
    with box.changing(subscription, UPDATED):
        now = box.now()
        interval, count = lines.interval_of(box.store, subscriptions.items(subscription)[0])
        if params.get("billing_cycle_anchor", "now") == "now":
            subscription["billing_cycle_anchor"] = now
        end = periods.boundary_after(subscription["billing_cycle_anchor"], interval, count, now)
        subscriptions.set_period(subscription, now, end)
        subscription["status"] = "active"
        invoice = moves.bill(box, subscription, lines.period_lines(box, subscription), "subscription_update")
        collection.finalize_and_collect(box, invoice)
    box.emit("customer.subscription.resumed", subscription)
    return subscription


def cancel_now(box: Sandbox, subscription: Record, params: Params) -> Record:
    """Cancel at once, with a credit for unused time and a last invoice where asked for."""
    if subscription["status"] in statuses.ENDED:
        raise StripeError.missing("subscription", subscription["id"])
    if params.get("prorate"):
        _credit_unused(box, subscription)
    if params.get("invoice_now") and invoicing.pending_items(
        box, subscription["customer"], subscription["id"]
    ):
        invoice = moves.bill(box, subscription, [], "subscription_update")
        collection.finalize_and_collect(box, invoice)
    first = box.store.get("invoice", subscription["latest_invoice"])
    incomplete = subscription["status"] == "incomplete"
    statuses.end(box, subscription, "cancellation_requested", details=params.get("cancellation_details"))
    if incomplete and first is not None and first["status"] == "open":
        invoicing.void(box, first)
    return subscription


def _credit_unused(box: Sandbox, subscription: Record) -> None:
    customer = box.store.the("customer", subscription["customer"])
    change = changes.weigh(box.store, subscription, [], "create_prorations", box.now())
    for proration in change.prorations:
        item = moves.waiting_item(box, customer, subscription, proration)
        box.emit("invoiceitem.created", box.store.save(item))
