"""Making subscriptions: checks, the first invoice, its payment."""

from __future__ import annotations

from django_videoq_billing.sandbox.billing import (
    changes,
    charging,
    collection,
    discounts,
    invoicing,
    lines,
    periods,
)
from django_videoq_billing.sandbox.billing.subscriptions import (
    PLAIN,
    bill,
    method_of,
    set_cancellation,
    set_nested,
)
from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import subscriptions
from django_videoq_billing.sandbox.params import Params, merged_metadata
from django_videoq_billing.sandbox.store import Record


def create(box: Sandbox, customer: Record, params: Params, *, authenticated: bool = False) -> Record:
    """A new subscription with its first invoice, paid or not as `payment_behavior` says."""
    behavior = params.get("payment_behavior", "allow_incomplete")
    subscription = build(box, customer, params)
    if behavior != "default_incomplete":
        check_first_payment(box, customer, subscription, behavior, authenticated=authenticated)
    with box.announcing(subscription, "customer.subscription.created"):
        discounts.redeem(box, subscription)
        trial = subscription["status"] == "trialing"
        entries = lines.period_lines(box, subscription, trial=trial)
        invoice = bill(box, subscription, entries, "subscription_create")
        invoicing.finalize(box, invoice)
        if behavior == "default_incomplete" and invoice["amount_due"] > 0:
            invoice["auto_advance"] = False
            box.store.save(invoice)
        else:
            collection.collect(box, invoice, authenticated=authenticated, automatic=True)
    return subscription


def build(box: Sandbox, customer: Record, params: Params) -> Record:
    """The subscription as it would be born, not yet saved."""
    if not params.get("items"):
        raise StripeError.required("items")
    prices = [
        changes.usable_price(box.store, entry["price"], f"items[{index}][price]")
        for index, entry in enumerate(params["items"])
    ]
    now = box.now()
    trial_end = trial_end_of(box, params)
    recurring = prices[0]["recurring"]
    anchor = trial_end or params.get("billing_cycle_anchor") or now
    end = periods.boundary_after(anchor, recurring["interval"], recurring["interval_count"], now)
    subscription = subscriptions.subscription(
        box,
        customer=customer["id"],
        currency=prices[0]["currency"],
        billing_cycle_anchor=anchor,
        status="trialing" if trial_end else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        test_clock=customer["test_clock"],
        metadata=merged_metadata({}, params.get("metadata") or {}),
        **{name: params[name] for name in PLAIN if params.get(name) is not None},
    )
    for price, entry in zip(prices, params["items"], strict=True):
        metadata = merged_metadata({}, entry.get("metadata") or {})
        item = subscriptions.item(
            box, subscription["id"], price, (now, end), quantity=entry.get("quantity", 1), metadata=metadata
        )
        subscriptions.items(subscription).append(item)
    changes.check_items(box.store, subscriptions.items(subscription))
    subscription["discounts"] = discounts.made(
        box, params.get("discounts"), subscription["id"], customer["id"]
    )
    set_cancellation(box, subscription, params)
    set_nested(subscription, params)
    return subscription


def trial_end_of(box: Sandbox, params: Params) -> int | None:
    given = params.get("trial_end")
    if given is not None and params.get("trial_period_days") is not None:
        raise StripeError.one_of("trial_end", "trial_period_days")
    if given == "now":
        return None
    if given is not None:
        if given <= box.now():
            raise StripeError(
                "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
            )
        return int(given)
    days = params.get("trial_period_days") or 0
    return box.now() + days * DAY if days else None


def check_first_payment(
    box: Sandbox, customer: Record, subscription: Record, behavior: str, *, authenticated: bool
) -> None:
    """Refuse before anything exists: no payment method at all, or error_if_incomplete and the card would fail."""
    if subscription["status"] == "trialing":
        return
    entries = lines.period_lines(box, subscription)
    total = lines.totals(box.store, entries, subscription["discounts"])["total"]
    waiting = sum(item["amount"] for item in invoicing.pending_items(box, customer["id"], None))
    if total + waiting + customer["balance"] <= 0:
        return
    method = method_of(box, subscription)
    if method is None:
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please consider adding a "
            "default payment method. For more information, visit "
            "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
            code="resource_missing",
        )
    outcome = charging.foresee(customer, method, authenticated=authenticated)
    if behavior == "error_if_incomplete" and not outcome.goes_through:
        charging.use_up_failure(customer)
        raise outcome.error()
