"""What Stripe refuses beyond the shape of a parameter, and what it allows again afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver


def test_a_default_price_cannot_be_archived(sandbox: Driver) -> None:
    old, product = sandbox.price(1000), ""
    product = str(old.product)
    sandbox.api.products.update(product, params={"default_price": old.id})
    with pytest.raises(stripe.InvalidRequestError, match="default price of its product"):
        sandbox.api.prices.update(old.id, params={"active": False})
    new = sandbox.api.prices.create(
        params={
            "product": product,
            "currency": "usd",
            "unit_amount": 1200,
            "recurring": {"interval": "month"},
        }
    )
    sandbox.api.products.update(product, params={"default_price": new.id})
    assert not sandbox.api.prices.update(old.id, params={"active": False}).active
    for other in ("price_none", sandbox.price(5).id):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.api.products.update(product, params={"default_price": other})
        assert caught.value.param == "default_price"


def test_a_lookup_key_moves_to_an_existing_price(sandbox: Driver) -> None:
    first, second = sandbox.price(100, lookup_key="standard"), sandbox.price(200)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        sandbox.api.prices.update(second.id, params={"lookup_key": "standard"})
    sandbox.new_events()
    moved = sandbox.api.prices.update(
        second.id, params={"lookup_key": "standard", "transfer_lookup_key": True}
    )
    assert (moved.lookup_key, sandbox.api.prices.retrieve(first.id).lookup_key) == ("standard", None)
    assert sandbox.new_types() == ["price.updated", "price.updated"]
    assert sandbox.api.prices.update(second.id, params={"lookup_key": ""}).lookup_key is None


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"percent_off": 150, "duration": "once"}, "percent_off"),
        ({"percent_off": 10, "amount_off": 5, "duration": "once"}, "percent_off"),
        ({"amount_off": 5, "duration": "once"}, "currency"),
        ({"amount_off": 5, "currency": "xxx", "duration": "once"}, "currency"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
    ],
)
def test_impossible_coupons(sandbox: Driver, params: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.coupons.create(params=params)
    assert caught.value.param == param


def test_coupons_and_codes_are_unique_and_end(sandbox: Driver) -> None:
    ends = sandbox.now() + 5 * DAY
    params: Any = {"id": "TEN", "percent_off": 10, "duration": "once", "redeem_by": ends}
    sandbox.api.coupons.create(params=params)
    assert sandbox.api.coupons.update("TEN", params={"name": "Ten"}).name == "Ten"
    mine, stranger = sandbox.customer().id, sandbox.customer().id
    code: Any = {"code": "ONLYME", "customer": mine, "promotion": {"type": "coupon", "coupon": "TEN"}}
    made = sandbox.api.promotion_codes.create(params=code)
    for again in (
        lambda: sandbox.api.coupons.create(params=params),
        lambda: sandbox.api.promotion_codes.create(params=code),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            again()
        assert caught.value.code == "resource_already_exists"
    price, discounts = sandbox.price().id, [{"promotion_code": made.id}]
    with pytest.raises(stripe.InvalidRequestError, match="no longer valid"):
        sandbox.subscribe(stranger, price, discounts=discounts)
    assert sandbox.subscribe(mine, price, discounts=discounts).discounts
    sandbox.advance(days=5)
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        sandbox.subscribe(stranger, price, discounts=[{"coupon": "TEN"}])


def test_what_excludes_each_other(sandbox: Driver, subscription: stripe.Subscription) -> None:
    price, now = sandbox.price().id, sandbox.now()
    customer = str(subscription.customer)
    charge = sandbox.api.charges.list().data[0]
    both: Any = {"charge": charge.id, "payment_intent": str(charge.payment_intent)}
    for refused in (
        lambda: sandbox.subscribe(customer, price, trial_end=now + DAY, trial_period_days=3),
        lambda: sandbox.api.subscriptions.update(
            subscription.id, params={"cancel_at": now + DAY, "cancel_at_period_end": True}
        ),
        lambda: sandbox.api.refunds.create(params=both),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="only specify one of"):
            refused()


def test_a_proration_date_lies_in_the_period(sandbox: Driver, subscription: stripe.Subscription) -> None:
    item, premium = sandbox.item(subscription.id), sandbox.price(2400).id
    sandbox.advance(days=10)

    def due(days: float) -> int:
        at = item.current_period_start + int(days * DAY)
        details: Any = {
            "items": [{"id": item.id, "price": premium}], "proration_behavior": "always_invoice", "proration_date": at,
        }  # fmt: skip
        params: Any = {"subscription": subscription.id, "subscription_details": details}
        return sandbox.api.invoices.create_preview(params=params).amount_due

    assert (due(0), due(15.5), due(31)) == (1200, 600, 0)
    for days in (-1, 32):
        with pytest.raises(stripe.InvalidRequestError, match="outside of current subscription period"):
            due(days)


def test_a_disputed_charge_is_not_refunded(sandbox: Driver, subscription: stripe.Subscription) -> None:
    charge = sandbox.api.charges.list().data[0]
    dispute = sandbox.control("disputes", charge=charge.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.refunds.create(params={"charge": charge.id})
    assert caught.value.code == "charge_disputed"
    sandbox.control(f"disputes/{dispute['id']}/close", won=True)
    assert sandbox.api.refunds.create(params={"charge": charge.id}).status == "succeeded"


def test_emails_and_currencies(sandbox: Driver) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.customers.create(params={"email": "nobody"})
    assert caught.value.code == "email_invalid"
    with pytest.raises(stripe.InvalidRequestError, match="Invalid currency: xyz"):
        sandbox.price(currency="xyz")
    assert sandbox.price(currency="JPY").currency == "jpy"


def test_a_pause_ends_in_the_future(sandbox: Driver, subscription: stripe.Subscription) -> None:
    pause: Any = {"behavior": "void", "resumes_at": sandbox.now()}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.subscriptions.update(subscription.id, params={"pause_collection": pause})
    assert caught.value.param == "pause_collection[resumes_at]"


def test_webhook_endpoints_name_whole_types(sandbox: Driver) -> None:
    for kinds in (["invoice.paid", "customer.*"], ["nonsense"]):
        wrong: Any = {"url": "http://127.0.0.1:9/", "enabled_events": kinds}
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.api.webhook_endpoints.create(params=wrong)
        assert caught.value.param == f"enabled_events[{len(kinds) - 1}]"
    right: Any = {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}
    made = sandbox.api.webhook_endpoints.create(params=right)
    patterns: Any = {"enabled_events": ["customer.*"]}
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.webhook_endpoints.update(made.id, params=patterns)
    right["url"] = "nowhere"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.webhook_endpoints.create(params=right)
    assert caught.value.code == "url_invalid"
