from __future__ import annotations

from typing import Any

import pytest
from django.core.management.base import CommandError

from django_videoq_billing.models import SubscriptionPlan
from tests.commands.conftest import Run
from tests.stripe_site import OperatorsDriver

pytestmark = pytest.mark.usefixtures("stripe_account", "plans")


def test_the_diff_and_nothing_on_the_second_run(run: Run) -> None:
    assert run("sync_stripe_plans").splitlines() == [
        "free            not for sale",
        "standard        create product Standard",
        "standard        create price   $12.00 a month",
        "premium         create product Premium",
        "premium         create price   $49.00 a month",
    ]
    assert run("sync_stripe_plans").splitlines() == [
        "free            not for sale",
        "standard        unchanged",
        "premium         unchanged",
    ]


def test_a_dry_run(run: Run) -> None:
    run("sync_stripe_plans")
    SubscriptionPlan.objects.filter(slug="standard").update(price_cents=1500)
    for _ in range(2):
        assert run("sync_stripe_plans", dry_run=True).splitlines() == [
            "free            not for sale",
            "standard        create price   $15.00 a month",
            "standard        archive price  $12.00 a month",
            "premium         unchanged",
            "Dry run: nothing was written, here or at Stripe.",
        ]


def test_pull(run: Run) -> None:
    run("sync_stripe_plans")
    SubscriptionPlan.objects.filter(slug="standard").update(price_cents=1500)
    assert run("sync_stripe_plans", pull=True).splitlines() == [
        "free            not at Stripe",
        "standard        update plan    price_cents: 1500 -> 1200",
        "premium         unchanged",
    ]
    assert SubscriptionPlan.objects.get(slug="standard").price_cents == 1200


def test_no_stripe_id_is_printed(run: Run) -> None:
    printed = run("sync_stripe_plans") + run("sync_stripe_plans", pull=True)
    for plan in SubscriptionPlan.objects.exclude(stripe_price_id=None):
        assert str(plan.stripe_price_id) not in printed
        assert str(plan.stripe_product_id) not in printed


def test_what_cannot_be_done_is_said_and_fails(run: Run, stripe_account: OperatorsDriver) -> None:
    run("sync_stripe_plans")
    product = SubscriptionPlan.objects.get(slug="premium").stripe_product_id
    stripe_account.api.products.update(str(product), params={"name": "Standard"})
    with pytest.raises(CommandError, match="1 change could not be made"):
        run("sync_stripe_plans", pull=True)


def test_without_a_key(run: Run, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {}
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY'] is empty"):
        run("sync_stripe_plans")


@pytest.mark.parametrize(
    ("outage", "sentence"),
    [("503", "Stripe cannot be reached. What was done is kept; run it again."), ("429", "cannot be reached")],
)
def test_without_stripe(run: Run, stripe_account: OperatorsDriver, outage: str, sentence: str) -> None:
    stripe_account.http.post("/_sandbox/outage", json={"mode": outage, "requests": 1})
    with pytest.raises(CommandError, match=sentence):
        run("sync_stripe_plans")
    assert "create price" in run("sync_stripe_plans")


def test_a_wrong_key(run: Run, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_SECRET_KEY": "sk_test_wrong"}
    with pytest.raises(CommandError, match="Stripe refused a request"):
        run("sync_stripe_plans")
