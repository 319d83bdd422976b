"""Two runs of `sync_stripe_plans` at the same moment: two deployments, or two operators."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from django_videoq_billing.exceptions import StripeUnavailable
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_plans import push_plans
from tests.stripe_site import OperatorsDriver

pytestmark = pytest.mark.usefixtures("stripe_account", "plans")


def push_at_once(runs: int) -> None:
    barrier = Barrier(runs)

    def push(_: int) -> None:
        barrier.wait(timeout=30)
        try:
            list(push_plans())
        except StripeUnavailable:
            pass  # "run it again", as the command says: the other run was in the middle of the same request
        finally:
            connection.close()

    with ThreadPoolExecutor(runs) as pool:
        list(pool.map(push, range(runs)))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_product_and_one_price_for_each_plan(stripe_account: OperatorsDriver) -> None:
    for amount in (1200, 1500, 1200):  # and back to an amount that it had before
        SubscriptionPlan.objects.filter(slug="standard").update(price_cents=amount)
        push_at_once(4)
        list(push_plans())
        products = stripe_account.api.products.list().data
        on_sale = stripe_account.api.prices.list(params={"active": True}).data
        assert sorted(product.name for product in products) == ["Premium", "Standard"]
        assert sorted(price.unit_amount or 0 for price in on_sale) == [amount, 4900]
        kept = set(
            SubscriptionPlan.objects.filter(is_active=True, price_cents__gt=0).values_list("stripe_price_id")
        )
        assert kept == {(price.id,) for price in on_sale}
    assert len(stripe_account.api.prices.list().data) == 4, "none was made twice"


def test_back_to_an_amount_of_the_same_day(stripe_account: OperatorsDriver) -> None:
    """Stripe answers a repeated request with what it made then, and that price is archived by now."""
    for amount in (1200, 1500, 1200, 1500):
        SubscriptionPlan.objects.filter(slug="standard").update(price_cents=amount)
        list(push_plans())
    on_sale = stripe_account.api.prices.list(params={"active": True}).data
    assert sorted(price.unit_amount or 0 for price in on_sale) == [1500, 4900]
    plan = SubscriptionPlan.objects.get(slug="standard")
    assert plan.stripe_price_id in [price.id for price in on_sale]
