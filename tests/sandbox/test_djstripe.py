"""What dj-stripe asks for beyond the SDK's usual requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from tests.sandbox.driver import Driver

EXPANDED = [
    ("customer", "Customer"),
    ("price", "Price"),
    ("invoice", "Invoice"),
    ("charge", "Charge"),
    ("checkout.session", "Session"),
    ("coupon", "Coupon"),
]


@pytest.mark.parametrize(("kind", "model"), EXPANDED)
def test_every_field_that_djstripe_expands(sandbox: Driver, kind: str, model: str) -> None:
    customer, price = sandbox.customer(), sandbox.price()
    sandbox.subscribe(customer.id, price.id)
    sandbox.api.coupons.create(params={"percent_off": 10, "duration": "once"})
    sandbox.api.checkout.sessions.create(
        params={
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.com/ok",
            "cancel_url": "https://example.com/no",
        }
    )
    [stored] = sandbox.http.get(f"/_sandbox/objects/{kind}").json()["objects"]
    collection: Any = sandbox.api
    for step in f"{kind}s".split("."):
        collection = getattr(collection, step)
    fields = apps.get_model("djstripe", model).expand_fields
    assert collection.retrieve(stored["id"], params={"expand": fields}).id == stored["id"]


def test_features_of_a_product(sandbox: Driver) -> None:
    product = sandbox.api.products.create(params={"name": "Plan"})
    assert sandbox.api.products.features.list(product.id).data == []
