"""The sandbox against Stripe's API description: its parameters, and that the check of its answers bites.

The answers themselves are checked after every test that uses the `sandbox` fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_videoq_billing.sandbox.api.endpoints import ENDPOINTS
from django_videoq_billing.sandbox.api.router import Endpoint
from django_videoq_billing.sandbox.params import Choice, Either, Field, Fields, Hash, Many
from tests.sandbox.driver import Driver
from tests.sandbox.shapes import DESCRIPTION, MISSING, SHAPES

pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason=MISSING)


def accepted(endpoint: Endpoint) -> dict[str, Any]:
    """Names to schemas of what Stripe takes there."""
    operation = SHAPES.operation(endpoint.method, endpoint.path)
    assert operation is not None, f"{endpoint.method} {endpoint.path} is not Stripe's"
    names = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "query"}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        names |= content["schema"].get("properties", {})
    return names


def branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for one in schema["anyOf"] for found in branches(one)] if "anyOf" in schema else [schema]


def unknown(fields: Fields, known: dict[str, Any], within: str = "") -> Iterator[str]:
    for name, field in fields.items():
        if name not in known:
            yield f"{within}{name}"
        else:
            yield from unknown_inside(field, branches(known[name]), f"{within}{name}.")


def unknown_inside(field: Field, schemas: list[dict[str, Any]], within: str) -> Iterator[str]:
    if isinstance(field, Hash):
        known = {key: value for one in schemas for key, value in one.get("properties", {}).items()}
        yield from unknown(field.fields, known, within)
    elif isinstance(field, Many):
        items = [found for one in schemas if "items" in one for found in branches(one["items"])]
        yield from unknown_inside(field.of, items, within)
    elif isinstance(field, Either):
        for form in field.forms:
            yield from unknown_inside(form, schemas, within)
    elif isinstance(field, Choice) and any("enum" in one for one in schemas):
        known_options = {option for one in schemas for option in one.get("enum", [])}
        yield from (f"{within}={option}" for option in set(field.options) - known_options)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_parameter_is_stripes(endpoint: Endpoint) -> None:
    assert list(unknown(endpoint.fields, accepted(endpoint))) == []


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_what_stripe_requires_is_required(endpoint: Endpoint) -> None:
    operation = SHAPES.operation(endpoint.method, endpoint.path) or {}
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    required = {name for body in bodies for name in body["schema"].get("required", [])}
    assert {name for name in required if not endpoint.fields[name].required} == set()


def test_the_check_of_answers_bites(sandbox: Driver) -> None:
    product = sandbox.http.get("/_sandbox/objects/account").json()["objects"][0]
    path = f"/v1/accounts/{product['id']}"
    assert SHAPES.check_response("GET", path, 200, product) is None
    assert "nonsense" in str(SHAPES.check_response("GET", path, 200, {**product, "nonsense": 1}))
    assert SHAPES.check_response("GET", path, 200, {**product, "id": 7}) is not None
    assert (
        SHAPES.check_event({"type": "account.updated", "data": {"object": {"object": "account"}}}) is not None
    )
