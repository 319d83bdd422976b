"""The resources one by one: catalogue, payment methods, intents, one-off invoices, previews, filters."""

from __future__ import annotations

from decimal import Decimal

import pytest
import stripe

from tests.sandbox.driver import Driver


def test_payment_methods(sandbox: Driver) -> None:
    customer = sandbox.customer()
    method = sandbox.api.payment_methods.create(params={"type": "card", "card": {"token": "tok_mastercard"}})
    sandbox.api.payment_methods.attach(method.id, params={"customer": customer.id})
    found = sandbox.api.customers.payment_methods.list(customer.id)
    assert [one.card.brand for one in found.data if one.card] == ["mastercard", "visa"]
    sandbox.api.payment_methods.update(method.id, params={"metadata": {"a": "1"}, "card": {"exp_year": 2040}})
    detached = sandbox.api.payment_methods.detach(method.id)
    assert detached.customer is None
    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        sandbox.api.payment_methods.attach(method.id, params={"customer": customer.id})
    assert len(sandbox.api.payment_methods.list(params={"customer": customer.id, "type": "card"}).data) == 1


def test_setup_intents(sandbox: Driver) -> None:
    customer = sandbox.customer(None)
    intent = sandbox.api.setup_intents.create(
        params={"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    assert intent.status == "succeeded"
    asking = sandbox.api.setup_intents.create(params={"customer": customer.id})
    asking = sandbox.api.setup_intents.confirm(
        asking.id, params={"payment_method": "pm_card_authenticationRequired"}
    )
    assert asking.next_action is not None
    assert asking.next_action.redirect_to_url is not None
    sandbox.http.post(str(asking.next_action.redirect_to_url.url), data={"answer": "complete"})
    assert sandbox.api.setup_intents.retrieve(asking.id).status == "succeeded"
    assert len(sandbox.api.customers.payment_methods.list(customer.id).data) == 2


def test_payment_intents_of_their_own(sandbox: Driver) -> None:
    customer = sandbox.customer(None)
    intent = sandbox.api.payment_intents.create(
        params={"amount": 500, "currency": "usd", "customer": customer.id}
    )
    with pytest.raises(stripe.CardError):
        sandbox.api.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_chargeDeclined"})
    failed = sandbox.api.payment_intents.retrieve(intent.id, params={"expand": ["latest_charge"]})
    assert failed.last_payment_error is not None
    assert (failed.status, failed.last_payment_error.code) == ("requires_payment_method", "card_declined")
    assert (
        sandbox.api.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_visa"}).status
        == "succeeded"
    )
    other = sandbox.api.payment_intents.create(params={"amount": 500, "currency": "usd"})
    assert sandbox.api.payment_intents.cancel(other.id).status == "canceled"


def test_lookup_keys(sandbox: Driver) -> None:
    first = sandbox.price(100, lookup_key="standard")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        sandbox.price(200, lookup_key="standard")
    second = sandbox.price(200, lookup_key="standard", transfer_lookup_key=True)
    assert [one.id for one in sandbox.api.prices.list(params={"lookup_keys": ["standard"]}).data] == [
        second.id
    ]
    assert sandbox.api.prices.retrieve(first.id).lookup_key is None


def test_catalogue(sandbox: Driver) -> None:
    product = sandbox.api.products.create(
        params={
            "id": "prod_mine", "name": "Mine",
            "default_price_data": {"currency": "jpy", "unit_amount": 1480, "recurring": {"interval": "month"}},
        }
    )  # fmt: skip
    assert product.default_price is not None
    assert sandbox.api.prices.retrieve(str(product.default_price)).currency == "jpy"
    sandbox.api.products.update("prod_mine", params={"description": "Something", "active": False})
    assert sandbox.api.products.list(params={"active": True}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="cannot be deleted"):
        sandbox.api.products.delete("prod_mine")
    bare = sandbox.api.products.create(params={"name": "Bare"})
    assert sandbox.api.products.delete(bare.id).deleted
    price = sandbox.api.prices.create(
        params={
            "product_data": {"name": "New"},
            "currency": "usd",
            "unit_amount_decimal": Decimal("12.5"),
            "recurring": {"interval": "day"},
        }
    )
    assert (price.unit_amount, str(price.unit_amount_decimal)) == (None, "12.5")
    sandbox.api.prices.update(price.id, params={"active": False, "nickname": "old"})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        sandbox.subscribe(sandbox.customer().id, price.id)


def test_account_and_portal(sandbox: Driver) -> None:
    account = sandbox.api.accounts.retrieve_current()
    assert account.id.startswith("acct_")
    session = sandbox.api.billing_portal.sessions.create(
        params={"customer": sandbox.customer().id, "return_url": "http://localhost/back"}
    )
    assert session.url.startswith(sandbox.url)
    assert sandbox.api.billing_portal.configurations.list().data[0].is_default


def test_one_off_invoice(sandbox: Driver) -> None:
    customer = sandbox.customer()
    sandbox.api.invoice_items.create(
        params={"customer": customer.id, "amount": 700, "currency": "usd", "description": "Extra"}
    )
    spare = sandbox.api.invoice_items.create(params={"customer": customer.id, "amount": 1, "currency": "usd"})
    assert sandbox.api.invoice_items.delete(spare.id).deleted
    invoice = sandbox.api.invoices.create(
        params={"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("draft", 700, "manual")
    sandbox.api.invoices.update(str(invoice.id), params={"description": "Extras", "metadata": {"a": "1"}})
    assert sandbox.api.invoices.finalize_invoice(str(invoice.id)).status == "open"
    assert len(sandbox.api.invoices.line_items.list(str(invoice.id)).data) == 1
    assert sandbox.api.invoices.pay(str(invoice.id)).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        sandbox.api.invoices.pay(str(invoice.id))
    draft = sandbox.api.invoices.create(params={"customer": customer.id})
    assert sandbox.api.invoices.delete(str(draft.id)).deleted


def test_subscription_filters(sandbox: Driver) -> None:
    price = sandbox.price()
    mine = sandbox.subscribe(sandbox.customer().id, price.id)
    gone = sandbox.subscribe(sandbox.customer().id, sandbox.price().id)
    sandbox.api.subscriptions.cancel(gone.id)
    assert [one.id for one in sandbox.api.subscriptions.list().data] == [mine.id]
    assert len(sandbox.api.subscriptions.list(params={"status": "all"}).data) == 2
    assert [one.id for one in sandbox.api.subscriptions.list(params={"status": "ended"}).data] == [gone.id]
    assert [one.id for one in sandbox.api.subscriptions.list(params={"price": price.id}).data] == [mine.id]
    assert sandbox.api.subscriptions.list(params={"customer": str(gone.customer)}).data == []


def test_previews(sandbox: Driver) -> None:
    customer, price = sandbox.customer(), sandbox.price(1200)
    new = sandbox.api.invoices.create_preview(
        params={
            "customer": customer.id,
            "subscription_details": {"items": [{"price": price.id, "quantity": 2}]},
        }
    )
    assert (new.amount_due, new.billing_reason) == (2400, "subscription_create")
    made = sandbox.subscribe(customer.id, price.id)
    assert sandbox.api.invoices.create_preview(params={"customer": customer.id}).amount_due == 1200
    sandbox.api.subscriptions.update(made.id, params={"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.invoices.create_preview(params={"subscription": made.id})
    assert (caught.value.http_status, caught.value.code) == (404, "invoice_upcoming_none")


def test_what_dj_stripe_asks_for(sandbox: Driver) -> None:
    """The expansions and lists of dj-stripe's mirror, some of them for things that do not exist here."""
    customer, price = sandbox.customer(), sandbox.price()
    found = sandbox.api.customers.retrieve(customer.id, params={"expand": ["default_source", "sources"]})
    assert found.sources is not None
    assert found.sources.data == []
    sandbox.api.prices.retrieve(price.id, params={"expand": ["currency_options", "product", "tiers"]})
    coupon = sandbox.api.coupons.create(params={"percent_off": 10, "duration": "once"})
    sandbox.api.coupons.retrieve(coupon.id, params={"expand": ["applies_to"]})
    made = sandbox.subscribe(customer.id, price.id, discounts=[{"coupon": coupon.id}])
    sandbox.api.subscriptions.retrieve(made.id, params={"expand": ["discounts"]})
    invoices = sandbox.api.invoices.list(params={"expand": ["data.discounts", "data.lines.data.discounts"]})
    assert len(invoices.data) == 1
    session = sandbox.api.checkout.sessions.create(
        params={
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://localhost/done",
        }
    )
    sandbox.api.checkout.sessions.retrieve(
        session.id, params={"expand": ["line_items", "total_details.breakdown", "line_items.data.discounts"]}
    )
    assert isinstance(price.product, str)
    assert sandbox.api.products.features.list(price.product).data == []
