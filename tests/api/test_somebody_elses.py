"""Whatever ids somebody names, the answer and the move are about the one who asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_videoq_billing.models import UserSubscription
from tests.api.clients import CHECK, PERSONAL, URLS, client_of
from tests.api.shop import Shop
from tests.factories import make_user


def marks_of(shop: Shop) -> Any:
    """All that the first user has, here and at Stripe, down to the count of looks at it."""
    customer, subscription = shop.stripe_ids
    methods = shop.stripe.api.customers.payment_methods.list(customer).to_dict()
    return (
        UserSubscription.objects.filter(user=shop.user).values().get(),
        shop.stripe.api.subscriptions.retrieve(subscription).to_dict(),
        methods,
    )


@pytest.mark.parametrize("endpoint", PERSONAL, ids=lambda endpoint: endpoint[1])
def test_naming_somebody_elses_subscription_moves_ones_own_alone(
    shop: Shop, endpoint: tuple[str, str]
) -> None:
    shop.subscribe(shop.standard)
    customer, subscription = shop.stripe_ids
    stranger = make_user(is_staff=True)  # who may even cancel at once: the own subscription
    client = client_of(stranger)
    shop.pay(shop.post("subscription/checkout", client, plan_id=shop.standard.pk).json()["session_id"])
    shop.post("subscription/sync", client)
    theirs = {
        **dict.fromkeys(("subscription", "subscription_id", "stripe_subscription_id"), subscription),
        **dict.fromkeys(("customer", "customer_id", "stripe_customer_id"), customer),
        **dict.fromkeys(("user", "user_id", "client_reference_id"), shop.user.pk),
        "id": shop.row.pk,
    }
    before = marks_of(shop)

    method, path = endpoint
    asked = {**CHECK, **theirs, "plan_id": shop.premium.pk, "immediate": True}
    query = "&".join(f"{name}={value}" for name, value in {**theirs, "plan_id": shop.premium.pk}.items())
    answer = client.generic(
        method, f"{URLS[path]}?{query}", json.dumps(asked), content_type="application/json"
    )

    assert answer.status_code in (200, 400, 409)
    assert marks_of(shop) == before
    own = UserSubscription.objects.select_related("plan").get(user=stranger)
    if "status" in answer.json():
        assert (answer.json()["id"], answer.json()["plan"]["id"]) == (own.pk, own.plan.pk)
