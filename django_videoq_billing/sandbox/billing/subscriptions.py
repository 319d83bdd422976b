"""Changing subscriptions as a request asks, and what making one shares with it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django_videoq_billing.sandbox.billing import (
    changes,
    charging,
    collection,
    discounts,
    invoicing,
    lines,
    pending,
    statuses,
)
from django_videoq_billing.sandbox.billing.changes import Change
from django_videoq_billing.sandbox.billing.charging import SUCCEEDS, Outcome
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import invoices, subscriptions
from django_videoq_billing.sandbox.params import Params, merged_metadata
from django_videoq_billing.sandbox.store import Record

PENDING_PARAMS = frozenset(
    {
        "billing_cycle_anchor",
        "items",
        "off_session",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
    }
)
PLAIN = ("description", "default_payment_method", "trial_settings")


def method_of(box: Sandbox, subscription: Record) -> Record | None:
    customer = box.store.the("customer", subscription["customer"])
    key = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return box.store.get("payment_method", key)


def bill(box: Sandbox, subscription: Record, entries: list[Record], reason: str, **given: Any) -> Record:
    """Draft an invoice over these lines and whatever waits, and announce it."""
    customer = box.store.the("customer", subscription["customer"])
    waiting = invoicing.pending_items(box, customer["id"], subscription["id"])
    invoice = invoicing.draft(box, customer, [], subscription=subscription, billing_reason=reason, **given)
    pending = invoicing.take_pending(box, invoice["id"], waiting)
    invoicing.fill(box, invoice, pending + entries)
    box.store.save(invoice)
    subscription["latest_invoice"] = invoice["id"]
    box.store.save(subscription)
    if customer["currency"] is None:
        customer["currency"] = subscription["currency"]
    box.emit("invoice.created", invoice)
    return invoice


def set_cancellation(box: Sandbox, subscription: Record, params: Params) -> None:
    """cancel_at_period_end and cancel_at, their stamps and their undoing."""
    details = params.get("cancellation_details")
    if details:
        subscription["cancellation_details"] = {**subscription["cancellation_details"], **details}
    if "cancel_at_period_end" not in params and "cancel_at" not in params:
        return
    at = params.get("cancel_at")
    if at is not None and params.get("cancel_at_period_end"):
        raise StripeError.one_of("cancel_at", "cancel_at_period_end")
    if params.get("cancel_at_period_end") or isinstance(at, str):
        at = subscriptions.period(subscription)[1]
    if at is not None and at <= box.now():
        raise StripeError("The timestamp of `cancel_at` must be in the future.", param="cancel_at")
    subscription |= {
        "cancel_at": at,
        "cancel_at_period_end": bool(params.get("cancel_at_period_end")),
        "canceled_at": None if at is None else box.now(),
        "cancellation_details": {
            **subscription["cancellation_details"], "reason": None if at is None else "cancellation_requested",
        },
    }  # fmt: skip


def set_nested(subscription: Record, params: Params) -> None:
    """Settings of which a request names only some parts."""
    for name in ("automatic_tax", "payment_settings"):
        if params.get(name):
            subscription[name] = {**subscription[name], **params[name]}


def update(box: Sandbox, subscription: Record, params: Params) -> Record:
    """Apply a request's changes; either all of them or, where it is refused, none."""
    check_updatable(subscription, params)
    check_pause(box, params)
    change = change_of(box, subscription, params)
    behavior = params.get("payment_behavior")
    if change is not None and behavior == "error_if_incomplete":
        refuse_unpayable(box, subscription, change, params)
    with box.changing(subscription, statuses.UPDATED):
        set_plain(subscription, params)
        if "discounts" in params:
            subscription["discounts"] = discounts.made(
                box, params["discounts"], subscription["id"], subscription["customer"]
            )
            discounts.redeem(box, subscription)
        set_nested(subscription, params)
        if isinstance(params.get("trial_end"), int):
            extend_trial(box, subscription, params["trial_end"])
        if change is not None:
            make(box, subscription, change, params)
        set_cancellation(box, subscription, params)
    return subscription


def set_plain(subscription: Record, params: Params) -> None:
    """What is only noted down."""
    for name in PLAIN:
        if name in params:
            subscription[name] = params[name]
    if "metadata" in params:
        subscription["metadata"] = merged_metadata(subscription["metadata"], params["metadata"])
    if "pause_collection" in params:
        pause = params["pause_collection"]
        subscription["pause_collection"] = pause and {"resumes_at": None, **pause}


def tell_schedule(box: Sandbox, subscription: Record) -> None:
    """A direct change becomes part of the schedule's present phase."""
    schedule = box.store.get("subscription_schedule", subscription["schedule"])
    if schedule is None or schedule["current_phase"] is None:
        return
    for phase in schedule["phases"]:
        if phase["start_date"] == schedule["current_phase"]["start_date"]:
            items = subscriptions.items(subscription)
            phase["items"] = [subscriptions.phase_item(item["price"], item["quantity"]) for item in items]


def extend_trial(box: Sandbox, subscription: Record, trial_end: int) -> None:
    """Free until `trial_end`, where the billing cycle starts anew."""
    if trial_end <= box.now():
        raise StripeError("The trial must end in the future.", param="trial_end")
    start = subscriptions.period(subscription)[0] if subscription["status"] == "trialing" else box.now()
    subscriptions.set_period(subscription, start, trial_end)
    subscription |= {
        "status": "trialing", "trial_start": subscription["trial_start"] or start, "trial_end": trial_end,
        "billing_cycle_anchor": trial_end, "_trial_notice": False,
    }  # fmt: skip


def check_pause(box: Sandbox, params: Params) -> None:
    resumes_at = (params.get("pause_collection") or {}).get("resumes_at")
    if resumes_at is not None and resumes_at <= box.now():
        raise StripeError(
            "The timestamp of `resumes_at` must be in the future.", param="pause_collection[resumes_at]"
        )


def check_updatable(subscription: Record, params: Params) -> None:
    status = subscription["status"]
    if status in statuses.ENDED and params.keys() - {"metadata", "cancellation_details"}:
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            param=next(iter(params.keys() - {"metadata", "cancellation_details"})),
        )
    if status == "incomplete" and params.keys() & {"items", "trial_end", "billing_cycle_anchor"}:
        raise StripeError(
            "Billing properties of an incomplete subscription cannot be updated before its first invoice is paid.",
            param="items",
        )
    if params.get("payment_behavior") == "pending_if_incomplete" and params.keys() - PENDING_PARAMS:
        raise StripeError(
            "When `payment_behavior` is set to `pending_if_incomplete`, only these parameters can be passed: "
            f"{', '.join(sorted(PENDING_PARAMS))}.",
            param=next(iter(params.keys() - PENDING_PARAMS)),
        )
    if subscription["schedule"] and params.keys() & {"cancel_at_period_end", "cancel_at"}:
        raise StripeError(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating "
            "any cancelation behavior directly is not allowed. Please update the schedule instead.",
            param=next(iter(params.keys() & {"cancel_at_period_end", "cancel_at"})),
        )


def change_of(box: Sandbox, subscription: Record, params: Params) -> Change | None:
    """What the request changes about items and cycle, or None."""
    given = params.get("items")
    restart = params.get("billing_cycle_anchor") == "now" or (
        params.get("trial_end") == "now" and subscription["status"] == "trialing"
    )
    if not given and not restart:
        return None
    at = params.get("proration_date") or box.now()
    start, end = subscriptions.period(subscription)
    if not start <= at <= max(end, box.now()):
        raise StripeError(
            "Cannot specify proration date outside of current subscription period.", param="proration_date"
        )
    items = changes.new_items(box, subscription, given or [])
    return changes.weigh(
        box.store,
        subscription,
        items,
        params.get("proration_behavior", "create_prorations"),
        at,
        restart=restart,
    )


def change_lines(box: Sandbox, subscription: Record, change: Change) -> list[Record]:
    """A new cycle's full lines, for a subscription to which the change was applied."""
    return lines.period_lines(box, subscription) if change.new_cycle else []


def foreseen(box: Sandbox, subscription: Record, change: Change, params: Params) -> Outcome:
    """What the payment of a change would end in; one that is not invoiced now, or costs nothing, succeeds."""
    if not change.new_cycle and params.get("proration_behavior") != "always_invoice":
        return SUCCEEDS
    total = sum(proration.amount for proration in change.prorations)
    if change.new_cycle:
        total += sum(lines.item_amount(box.store, item) for item in change.items)
    customer = box.store.the("customer", subscription["customer"])
    due = total + customer["balance"]
    return charging.foresee(customer, method_of(box, subscription)) if due > 0 else SUCCEEDS


def refuse_unpayable(box: Sandbox, subscription: Record, change: Change, params: Params) -> None:
    """error_if_incomplete: 402 and nothing changed if the payment of this change would fail."""
    outcome = foreseen(box, subscription, change, params)
    if not outcome.goes_through:
        charging.use_up_failure(box.store.the("customer", subscription["customer"]))
        raise outcome.error()


def hold(box: Sandbox, subscription: Record, change: Change) -> None:
    """pending_if_incomplete: invoice the change, and let it wait until that is paid."""
    customer = box.store.the("customer", subscription["customer"])
    for proration in change.prorations:
        box.emit("invoiceitem.created", box.store.save(waiting_item(box, customer, subscription, proration)))
    changed = deepcopy(subscription)
    changes.install(box.store, changed, change, box.now())
    entries = change_lines(box, changed, change)
    invoice = bill(box, subscription, entries, "subscription_update", auto_advance=False)
    pending.hold(box, subscription, change, invoice)
    invoicing.finalize(box, invoice)
    collection.collect(box, invoice)


def make(box: Sandbox, subscription: Record, change: Change, params: Params) -> None:
    """Apply a change, or hold it back until it is paid if that is asked for."""
    if subscription["_pending"]:
        pending.expire(box, subscription)
    waits = params.get("payment_behavior") == "pending_if_incomplete"
    if waits and not foreseen(box, subscription, change, params).goes_through:
        hold(box, subscription, change)
        return
    apply(box, subscription, change, params)
    tell_schedule(box, subscription)


def apply(box: Sandbox, subscription: Record, change: Change, params: Params) -> None:
    """Put the new items in, create the prorations, and invoice at once where that is due."""
    customer = box.store.the("customer", subscription["customer"])
    for proration in change.prorations:
        box.emit("invoiceitem.created", box.store.save(waiting_item(box, customer, subscription, proration)))
    changes.install(box.store, subscription, change, box.now())
    at_once = params.get("proration_behavior") == "always_invoice" and bool(change.prorations)
    if not change.new_cycle and not at_once:
        return
    start, end = subscriptions.period(subscription)
    invoice = bill(
        box, subscription, change_lines(box, subscription, change), "subscription_update",
        period_start=start, period_end=end,
    )  # fmt: skip
    invoicing.finalize(box, invoice)
    if params.get("payment_behavior") == "default_incomplete" and invoice["amount_due"] > 0:
        subscription["status"] = "past_due"
    else:
        collection.collect(box, invoice, automatic=True)


def waiting_item(
    box: Sandbox, customer: Record, subscription: Record, proration: changes.Proration
) -> Record:
    price = box.store.the("price", proration.item["price"])
    parent = {
        "subscription_details": {
            "subscription": subscription["id"],
            "subscription_item": proration.item["id"],
        },
        "type": "subscription_details",
    }
    return invoices.invoice_item(
        box, customer, proration.amount, price["currency"], description=proration.description, discountable=False,
        parent=parent, period={"end": proration.end, "start": proration.start}, pricing=invoices.pricing(price),
        proration=True, quantity=proration.item["quantity"],
    )  # fmt: skip
