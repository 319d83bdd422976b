"""What a body says beside the fields that are asked for decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import SubscriptionPlan
from tests.api.shop import Shop
from tests.factories import make_user

FORGED: dict[str, dict[str, Any]] = {
    "price": {"price_cents": 1, "amount": 1, "amount_total": 1, "unit_amount": 1, "currency": "JPY"},
    "trial": {"trial_days": 365, "trial_period_days": 365, "trial_end": 4102444800},
    "state": {"status": "active", "is_active": True, "current_period_end": "2100-01-01T00:00:00Z"},
    "limits": {
        "video_limit": None,
        "extra_videos": 1000,
        "quantity": 0,
        "discounts": ["all"],
        "coupon": "all",
    },
}


def forged(shop: Shop, kind: str, stranger: Any, other: SubscriptionPlan) -> dict[str, Any]:
    if kind == "plan":
        names = ("plan", "plan_slug", "pending_plan")
        return {
            **dict.fromkeys(names, other.pk),
            "stripe_price_id": other.stripe_price_id,
            "price": other.stripe_price_id,
        }
    if kind == "user":
        return dict.fromkeys(("user", "user_id", "client_reference_id", "customer"), stranger.pk)
    return FORGED[kind]


@pytest.mark.parametrize("kind", [*FORGED, "plan", "user"])
def test_the_plan_alone_decides_price_and_trial(shop: Shop, kind: str) -> None:
    stranger, cheap = make_user(), shop.for_sale("cheap", 1)
    lies = forged(shop, kind, stranger, cheap)

    opened = shop.post("subscription/checkout", plan_id=shop.standard.pk, **lies)
    assert opened.status_code == 200
    session = shop.session(opened.json()["session_id"])
    assert (session.amount_total, session.currency) == (1200, "usd")
    assert session.client_reference_id == str(shop.user.pk)
    assert shop.row.plan.slug == "free"
    shop.pay(session.id)
    assert shop.post("subscription/sync").status_code == 200
    assert_pays(shop, shop.standard)

    assert shop.post("subscription/change", plan_id=shop.premium.pk, **lies).status_code == 200
    assert_pays(shop, shop.premium)
    assert not hasattr(stranger, "subscription") or stranger.subscription.stripe_customer_id is None


def assert_pays(shop: Shop, plan: SubscriptionPlan) -> None:
    customer, subscription = shop.stripe_ids
    at_stripe = shop.stripe.api.subscriptions.retrieve(subscription)
    (item,) = at_stripe.to_dict()["items"]["data"]
    assert (item["price"]["id"], item["price"]["unit_amount"], item["quantity"]) == (
        plan.stripe_price_id,
        plan.price_cents,
        1,
    )
    assert (at_stripe.customer, at_stripe.status, at_stripe.trial_end) == (customer, "active", None)
    assert (shop.row.plan, shop.row.status, shop.row.extra_videos) == (plan, "active", 0)
