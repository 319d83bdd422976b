"""What an invoice would be: the next renewal, or a change before it is made. Saves and emits nothing."""

from __future__ import annotations

from copy import deepcopy

from django_videoq_billing.sandbox.billing import (
    changes,
    invoicing,
    lines,
    periods,
    schedules,
    statuses,
    subscribing,
)
from django_videoq_billing.sandbox.billing import subscriptions as moves
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import invoices, subscriptions
from django_videoq_billing.sandbox.params import Params
from django_videoq_billing.sandbox.store import Record


def of_new_subscription(box: Sandbox, customer: Record, params: Params) -> Record:
    details = params["subscription_details"]
    subscription = subscribing.build(box, customer, {**details, "discounts": None, "metadata": None})
    trial = subscription["status"] == "trialing"
    entries = lines.period_lines(box, subscription, trial=trial)
    return _invoice(box, customer, subscription, entries, "subscription_create", box.now())


def of_subscription(box: Sandbox, subscription: Record, params: Params) -> Record:
    """The invoice that Stripe would make next, or at once where the change is invoiced at once."""
    if subscription["status"] in statuses.ENDED:
        raise _none(subscription)
    details = params.get("subscription_details") or {}
    draft = deepcopy(subscription)
    change = moves.change_of(box, draft, details)
    customer = box.store.the("customer", draft["customer"])
    waiting = [
        lines.pending_line(box, item)
        for item in invoicing.pending_items(box, customer["id"], subscription["id"])
    ]
    if change is None:
        return _renewal(box, customer, draft, details, waiting)
    prorated = [
        lines.pending_line(box, moves.waiting_item(box, customer, draft, proration))
        for proration in change.prorations
    ]
    changes.install(box.store, draft, change, box.now())
    if change.new_cycle or details.get("proration_behavior") == "always_invoice":
        entries = [*waiting, *prorated, *moves.change_lines(box, draft, change)]
        at = details.get("proration_date") or box.now()
        return _invoice(box, customer, draft, entries, "subscription_update", at)
    return _renewal(box, customer, draft, details, waiting + prorated)


def _renewal(box: Sandbox, customer: Record, draft: Record, details: Params, entries: list[Record]) -> Record:
    moves.set_cancellation(box, draft, details)
    start = subscriptions.period(draft)[1]
    ends = details.get("cancel_now") or (draft["cancel_at"] is not None and draft["cancel_at"] <= start)
    if ends and not entries:
        raise _none(draft)
    if not ends:
        draft["items"]["data"] = schedules.coming_items(box, draft) or subscriptions.items(draft)
        interval, count = lines.interval_of(box.store, subscriptions.items(draft)[0])
        end = periods.boundary_after(draft["billing_cycle_anchor"], interval, count, start)
        subscriptions.set_period(draft, start, end)
        entries = entries + lines.period_lines(box, draft)
    return _invoice(box, customer, draft, entries, "upcoming", start)


def _invoice(
    box: Sandbox, customer: Record, subscription: Record, entries: list[Record], reason: str, at: int
) -> Record:
    invoice = invoices.invoice(
        box, customer, id=box.ids.new("upcoming_in"), billing_reason=reason, created=at, period_end=at,
        period_start=at, currency=subscription["currency"], parent=invoices.of_subscription(subscription),
        discounts=list(subscription["discounts"]), next_payment_attempt=at, starting_balance=customer["balance"],
    )  # fmt: skip
    invoicing.fill(box, invoice, entries)
    due = invoice["total"] + customer["balance"]
    invoice |= {"amount_due": max(0, due), "amount_remaining": max(0, due), "ending_balance": min(0, due)}
    return invoice


def _none(subscription: Record) -> StripeError:
    return StripeError(
        f"No upcoming invoices for customer: {subscription['customer']}",
        code="invoice_upcoming_none",
        status=404,
    )
