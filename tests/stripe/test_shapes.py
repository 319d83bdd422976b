"""Stripe's objects in the shape of now, and in that from before 2025-03-31, which replayed events may have."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from django_videoq_billing.services.stripe_payloads import invoice_state, subscription_state
from django_videoq_billing.services.stripe_service import StripeService
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def subscription_before(now: dict[str, Any]) -> dict[str, Any]:
    """Its period stood on the subscription and not on its items."""
    before = deepcopy(now)
    for name in ("current_period_start", "current_period_end"):
        before[name] = before["items"]["data"][0].pop(name)
    return before


def invoice_before(now: dict[str, Any]) -> dict[str, Any]:
    """Its subscription, its payment and the prices of its lines were said otherwise."""
    before = deepcopy(now)
    before["subscription"] = before.pop("parent")["subscription_details"]["subscription"]
    [payment] = before.pop("payments")["data"]
    before["payment_intent"] = payment["payment"]["payment_intent"]
    for line in before["lines"]["data"]:
        price = line.pop("pricing")["price_details"]
        line["price"] = {"id": price["price"], "object": "price", "product": price["product"]}
    return before


def test_a_subscription(site: Site) -> None:
    first_subscription(site)
    payload = StripeService.retrieve("subscriptions", str(site.row.stripe_subscription_id))
    state = subscription_state(payload)
    assert subscription_state(subscription_before(payload)) == state
    assert (state.stripe_id, state.period) == (site.row.stripe_subscription_id, site.row.period)
    assert (state.price.interval, state.price.amount, state.price.currency) == ("month", 1200, "USD")
    assert state.cancelled_at is None

    site.sandbox.api.subscriptions.update(state.stripe_id, params={"cancel_at_period_end": True})
    cancelled = subscription_state(StripeService.retrieve("subscriptions", state.stripe_id))
    assert cancelled.cancelled_at is not None
    assert cancelled.cancel_at_period_end


def test_an_invoice(site: Site) -> None:
    first_subscription(site)
    [listed] = StripeService.each("invoices", {"expand": ["data.payments"]})
    payload = dict(listed)
    state = invoice_state(payload)
    assert invoice_state(invoice_before(payload)) == state
    assert state.subscription_id == site.row.stripe_subscription_id
    assert state.prices == ((site.standard.stripe_price_id, site.standard.stripe_product_id),)
    [intent] = site.sandbox.api.payment_intents.list()
    assert state.payment_intent_ids == (intent.id,)
    assert (state.customer_id, state.amount_paid, state.currency) == (
        site.row.stripe_customer_id,
        1200,
        "USD",
    )
    assert state.description
    for line in payload["lines"]["data"]:
        line["description"] = None
    assert invoice_state(payload).description == ""


def test_an_invoice_that_somebody_wrote_by_hand(site: Site) -> None:
    """In Stripe's dashboard, for something that is no plan: the books have it, and nothing changes."""
    first_subscription(site)
    customer, before = str(site.row.stripe_customer_id), site.snapshot()
    api = site.sandbox.api
    api.invoice_items.create(params={"customer": customer, "amount": 500, "currency": "usd"})
    draft = api.invoices.create(params={"customer": customer, "pending_invoice_items_behavior": "include"})
    [card] = api.customers.payment_methods.list(customer)
    api.invoices.pay(str(draft.id), params={"payment_method": card.id})
    site.settle()

    state = invoice_state(StripeService.retrieve("invoices", str(draft.id)))
    assert (state.subscription_id, state.billing_reason) == (None, "manual")
    after = site.snapshot()
    [line] = [line for line in after["ledger"] if line not in before["ledger"]]
    assert line[1:3] == ("succeeded", 500)
    assert {**after, "ledger": None} == {**before, "ledger": None}
