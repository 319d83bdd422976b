"""Reading back what was changed in Stripe's dashboard."""

from __future__ import annotations

import pytest

from django_videoq_billing.models import SubscriptionPlan
from tests.services.test_stripe_plans import change, plan, price_of, pull, push
from tests.stripe_site import OperatorsDriver

pytestmark = pytest.mark.usefixtures("stripe_account", "plans")


def test_pull_reads_what_the_dashboard_changed(stripe_account: OperatorsDriver) -> None:
    push()
    old = price_of(stripe_account)
    new = stripe_account.api.prices.create(
        params={
            "product": str(old.product),
            "currency": "eur",
            "unit_amount": 1900,
            "recurring": {"interval": "year"},
        }
    )
    stripe_account.api.products.update(
        str(old.product), params={"default_price": new.id, "name": "Solo", "description": "For one"}
    )
    stripe_account.api.prices.update(old.id, params={"active": False})
    before = list(SubscriptionPlan.objects.values())
    expected = (
        "standard",
        "update plan",
        "name: Standard -> Solo, description: None -> For one, price_cents: 1200 -> 1900, "
        "currency: USD -> EUR, interval: month -> year",
    )
    assert pull(dry_run=True) == [expected]
    assert list(SubscriptionPlan.objects.values()) == before

    assert pull() == [expected]
    assert pull() == []
    assert (plan().name, plan().price_cents, plan().currency, plan().interval) == (
        "Solo",
        1900,
        "EUR",
        "year",
    )
    assert plan().stripe_price_id == new.id
    assert plan().video_limit == 5
    assert push() == [("standard", "update price", "lookup_key, metadata")]


def test_pull_finds_lost_ids(stripe_account: OperatorsDriver) -> None:
    push()
    price = plan().stripe_price_id
    change(stripe_price_id=None, stripe_product_id=None)
    assert pull() == [("standard", "update plan", "its ids at Stripe")]
    assert plan().stripe_price_id == price


def test_pull_refuses_what_no_plan_can_be(stripe_account: OperatorsDriver) -> None:
    push()
    quarterly = stripe_account.price(3000, recurring={"interval": "month", "interval_count": 3})
    change(stripe_price_id=quarterly.id, stripe_product_id=str(quarterly.product))
    stripe_account.api.prices.update(
        quarterly.id, params={"lookup_key": "videoq_standard", "transfer_lookup_key": True}
    )
    stripe_account.api.products.update(str(plan("premium").stripe_product_id), params={"name": "Standard"})
    before = list(SubscriptionPlan.objects.values())
    assert pull() == [
        ("standard", "cannot pull", "its price at Stripe is not one amount a month or a year"),
        ("premium", "cannot pull", "Subscription plan with this Name already exists."),
    ]
    assert list(SubscriptionPlan.objects.values()) == before
