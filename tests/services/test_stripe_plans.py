from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.exceptions import StripeUnavailable
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_plans import PlanChange, pull_plans, push_plans
from django_videoq_billing.services.stripe_sync import sync_customer
from tests.factories import make_plan, make_user
from tests.stripe_site import OperatorsDriver, row_of, subscribe

pytestmark = pytest.mark.usefixtures("stripe_account", "plans")


def push(**options: bool) -> list[tuple[str, str, str]]:
    return report(list(push_plans(**options)))


def pull(**options: bool) -> list[tuple[str, str, str]]:
    return report(list(pull_plans(**options)))


def report(changes: list[PlanChange]) -> list[tuple[str, str, str]]:
    """Without the plans about which there is nothing to say."""
    quiet = ("unchanged", "not for sale", "not at Stripe")
    return [(one.slug, one.action, one.details) for one in changes if one.action not in quiet]


def plan(slug: str = "standard") -> SubscriptionPlan:
    return SubscriptionPlan.objects.get(slug=slug)


def change(slug: str = "standard", **fields: Any) -> None:
    SubscriptionPlan.objects.filter(slug=slug).update(**fields)


def price_of(account: OperatorsDriver, slug: str = "standard") -> Any:
    return account.api.prices.retrieve(str(plan(slug).stripe_price_id))


def product_of(account: OperatorsDriver, slug: str = "standard") -> Any:
    return account.api.products.retrieve(str(plan(slug).stripe_product_id))


def everything(account: OperatorsDriver) -> Any:
    """All that Stripe has, and all rows."""
    kinds = ("product", "price", "event")
    stored = [account.http.get(f"/_sandbox/objects/{kind}").json() for kind in kinds]
    return stored, list(SubscriptionPlan.objects.order_by("pk").values())


def test_every_plan_for_sale_gets_a_product_and_a_price(stripe_account: OperatorsDriver) -> None:
    change(description="For one person")
    assert push() == [
        ("standard", "create product", "Standard"),
        ("standard", "create price", "$12.00 a month"),
        ("premium", "create product", "Premium"),
        ("premium", "create price", "$49.00 a month"),
    ]
    product, price = product_of(stripe_account), price_of(stripe_account)
    assert (product.name, product.description, price.product) == ("Standard", "For one person", product.id)
    assert (price.unit_amount, price.currency, price.recurring.interval) == (1200, "usd", "month")
    assert price.lookup_key == "videoq_standard"
    assert plan("free").stripe_price_id is None


def test_the_second_run_changes_nothing(stripe_account: OperatorsDriver) -> None:
    push()
    before = everything(stripe_account)
    assert push() == []
    assert pull() == []
    assert everything(stripe_account) == before


def test_currency_and_interval_are_the_plans(stripe_account: OperatorsDriver) -> None:
    change(price_cents=14800, currency="JPY", interval="year")
    assert ("standard", "create price", "¥14,800 a year") in push()
    price = price_of(stripe_account)
    assert (price.unit_amount, price.currency, price.recurring.interval) == (14800, "jpy", "year")


@pytest.mark.parametrize("dry_first", [True, False])
def test_another_amount_is_another_price(stripe_account: OperatorsDriver, dry_first: bool) -> None:
    push()
    old = price_of(stripe_account)
    change(price_cents=1500)
    expected = [
        ("standard", "create price", "$15.00 a month"),
        ("standard", "archive price", "$12.00 a month"),
    ]
    if dry_first:
        before = everything(stripe_account)
        assert push(dry_run=True) == expected
        assert everything(stripe_account) == before
    assert push() == expected
    new = price_of(stripe_account)
    assert new.id != old.id
    assert (new.unit_amount, new.lookup_key, new.product) == (1500, "videoq_standard", old.product)
    assert not stripe_account.api.prices.retrieve(old.id).active
    assert push() == []


def test_who_pays_the_old_price_keeps_the_plan(stripe_account: OperatorsDriver, customer: User) -> None:
    change(price_cents=1500)
    push()
    row = sync_customer(str(row_of(customer).stripe_customer_id))
    assert row is not None
    assert (row.plan.slug, row.status) == ("standard", "active")

    newcomer = subscribe(stripe_account, make_user(), "standard")
    sync_customer(str(row_of(newcomer).stripe_customer_id))
    paid = [invoice.amount_paid for invoice in stripe_account.api.invoices.list()]
    assert (row_of(newcomer).plan.slug, paid) == ("standard", [1500, 1200])


def test_a_new_name_is_the_products(stripe_account: OperatorsDriver) -> None:
    push()
    price = plan().stripe_price_id
    change(name="Team", description="For two")
    assert push() == [("standard", "update product", "description, name")]
    assert (product_of(stripe_account).name, product_of(stripe_account).description) == ("Team", "For two")
    change(description="")
    assert push() == [("standard", "update product", "description")]
    assert plan().stripe_price_id == price


@pytest.mark.parametrize(
    "lost", [["stripe_price_id"], ["stripe_product_id"], ["stripe_price_id", "stripe_product_id"]]
)
def test_lost_ids_are_found_again(stripe_account: OperatorsDriver, lost: list[str]) -> None:
    push()
    before = everything(stripe_account)
    SubscriptionPlan.objects.filter(slug="standard").update(**dict.fromkeys(lost))
    assert push() == []
    after = everything(stripe_account)
    assert after[0] == before[0]
    assert [row["stripe_price_id"] for row in after[1]] == [row["stripe_price_id"] for row in before[1]]
    assert [row["stripe_product_id"] for row in after[1]] == [row["stripe_product_id"] for row in before[1]]


def test_lost_ids_and_a_lost_lookup_key(stripe_account: OperatorsDriver) -> None:
    push()
    price = price_of(stripe_account)
    stripe_account.api.prices.update(price.id, params={"lookup_key": ""})
    change(stripe_price_id=None, stripe_product_id=None)
    assert push() == [("standard", "update price", "lookup_key")]
    assert plan().stripe_price_id == price.id


def test_ids_of_another_account_are_replaced(stripe_account: OperatorsDriver) -> None:
    change(stripe_price_id="price_of_test_mode", stripe_product_id="prod_of_test_mode")
    assert [action for slug, action, _ in push() if slug == "standard"] == ["create product", "create price"]
    assert price_of(stripe_account).unit_amount == 1200


def test_a_price_made_in_the_dashboard_is_adopted(stripe_account: OperatorsDriver) -> None:
    price = stripe_account.price(1200)
    change(stripe_price_id=price.id)
    assert push()[:2] == [
        ("standard", "update product", "metadata, name"),
        ("standard", "update price", "lookup_key, metadata"),
    ]
    assert plan().stripe_price_id == price.id
    assert push() == []


def test_a_dry_run_writes_nothing(stripe_account: OperatorsDriver) -> None:
    before = everything(stripe_account)
    said = push(dry_run=True)
    assert everything(stripe_account) == before
    assert said == push()


def test_the_successor_takes_over_as_default_price(stripe_account: OperatorsDriver) -> None:
    push()
    old = price_of(stripe_account)
    stripe_account.api.products.update(str(old.product), params={"default_price": old.id})
    change(price_cents=1500)
    push()
    assert product_of(stripe_account).default_price == plan().stripe_price_id


def test_a_new_price_is_taxed_as_the_one_before(stripe_account: OperatorsDriver) -> None:
    push()
    stripe_account.api.prices.update(str(plan().stripe_price_id), params={"tax_behavior": "exclusive"})
    change(price_cents=1500)
    push()
    assert (price_of(stripe_account).unit_amount, price_of(stripe_account).tax_behavior) == (
        1500,
        "exclusive",
    )


def test_the_default_price_of_another_product_stays_on_sale(stripe_account: OperatorsDriver) -> None:
    """Nothing of ours can take its place there."""
    push()
    old = price_of(stripe_account)
    stripe_account.api.products.update(str(old.product), params={"default_price": old.id})
    new = stripe_account.price(1200)
    change(stripe_product_id=str(new.product), stripe_price_id=new.id)

    refused = [details for _, action, details in push() if action == "cannot archive price"]

    assert [text.partition(":")[0] for text in refused] == ["$12.00 a month"]
    assert stripe_account.api.prices.retrieve(old.id).active
    assert stripe_account.api.products.retrieve(str(old.product)).default_price == old.id


def test_an_inactive_plan_is_taken_off_sale_and_comes_back(
    stripe_account: OperatorsDriver, customer: User
) -> None:
    price = plan().stripe_price_id
    change(is_active=False)
    assert push() == [("standard", "archive price", "$12.00 a month")]
    assert push() == []
    assert not price_of(stripe_account).active
    [subscription] = stripe_account.api.subscriptions.list()
    assert subscription.status == "active"

    change(is_active=True)
    assert push() == [("standard", "update price", "active")]
    assert plan().stripe_price_id == price


def test_a_default_price_cannot_be_taken_off_sale(stripe_account: OperatorsDriver) -> None:
    push()
    price = price_of(stripe_account)
    stripe_account.api.products.update(str(price.product), params={"default_price": price.id})
    change(is_active=False)
    [(slug, action, details)] = push()
    assert (slug, action) == ("standard", "cannot archive price")
    assert "archive that product" in details
    stripe_account.api.products.update(str(price.product), params={"active": False})
    assert push() == []


def test_a_product_that_two_plans_share(stripe_account: OperatorsDriver) -> None:
    push()
    make_plan(
        name="Standard, yearly",
        slug="standard-yearly",
        price_cents=12000,
        interval="year",
        stripe_product_id=plan().stripe_product_id,
    )
    assert push() == [("standard-yearly", "create price", "$120.00 a year")]
    assert push() == []
    assert product_of(stripe_account).name == "Standard"
    assert pull() == []


@pytest.mark.parametrize("steps", range(1, 7))
def test_stopped_anywhere_and_run_again(stripe_account: OperatorsDriver, steps: int) -> None:
    stop_after(steps, push_plans())
    push()
    change(price_cents=1500)
    change("premium", price_cents=5900)
    stop_after(steps, push_plans())
    push()
    names = [product.name for product in stripe_account.api.products.list()]
    on_sale = [price.unit_amount or 0 for price in stripe_account.api.prices.list(params={"active": True})]
    assert (sorted(names), sorted(on_sale)) == (["Premium", "Standard"], [1500, 5900])
    assert len(stripe_account.api.prices.list().data) == 4


def stop_after(steps: int, changes: Iterator[PlanChange]) -> None:
    """Lose the process after so many changes: what comes between a change and the next one is not done."""
    for _ in zip(range(steps), changes, strict=False):
        pass


def test_without_stripe_nothing_is_written(stripe_account: OperatorsDriver) -> None:
    stripe_account.control("outage", mode="503", requests=1)
    before = list(SubscriptionPlan.objects.values())
    with pytest.raises(StripeUnavailable):
        push()
    assert list(SubscriptionPlan.objects.values()) == before
