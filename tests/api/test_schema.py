"""docs/openapi.yaml: complete, fresh, and what the contract says.

Write it anew with `python -m django spectacular --urlconf tests.api.urls --file docs/openapi.yaml`
(DJANGO_SETTINGS_MODULE=tests.settings).
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.utils import translation

from django_videoq_billing.api import schema
from django_videoq_billing.api.serializers import BillingErrorSerializer
from tests.api.contract import (
    ACTIONS,
    ASK_STRIPE,
    ENDPOINTS,
    ENUMS,
    HEALTH,
    HTTP_STATUS_OF_CODE,
    NULLABLE,
    OBJECTS,
    PARTS,
    PREFIX,
    STATUS_OF_CODE,
    TAKES,
    WEBHOOK,
)

PAGE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
SHAPES = {**OBJECTS, **PARTS}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of today's code; a warning of the generator fails the test."""
    target = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    with translation.override("en"):
        call_command(
            "spectacular", "--validate", "--fail-on-warn", "--urlconf=tests.api.urls", f"--file={target}"
        )
    return read(target)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return read(PAGE)


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix(PREFIX)): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def enumeration(document: dict[str, Any], name: str, field: str) -> list[str]:
    """The values of a field, which the document keeps in a component of its own."""
    reference = schema_of(document, name)["properties"][field]
    target = reference.get("$ref") or reference["allOf"][0]["$ref"]
    values: list[str] = schema_of(document, target.rpartition("/")[2])["enum"]
    return values


def test_the_checked_in_document_is_fresh(document: dict[str, Any], generated: dict[str, Any]) -> None:
    assert document == generated


def test_paths_and_methods_are_the_contracts(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {*ENDPOINTS, HEALTH}


def test_each_operation_has_a_name_that_says_what_it_does(document: dict[str, Any]) -> None:
    names = {endpoint: operation["operationId"] for endpoint, operation in operations(document).items()}
    assert names == {
        ("GET", "billing/plans"): "billing_plans_list",
        ("GET", "billing/subscription"): "billing_subscription_retrieve",
        ("POST", "billing/subscription/checkout"): "billing_subscription_checkout",
        ("POST", "billing/subscription/cancel"): "billing_subscription_cancel",
        ("POST", "billing/subscription/reactivate"): "billing_subscription_reactivate",
        ("GET", "billing/subscription/preview"): "billing_subscription_preview",
        ("POST", "billing/subscription/change"): "billing_subscription_change",
        ("POST", "billing/subscription/sync"): "billing_subscription_sync",
        ("POST", "billing/portal"): "billing_portal",
        ("GET", "billing/payment-method"): "billing_payment_method_retrieve",
        ("POST", "billing/webhook/stripe"): "billing_webhook_stripe",
        ("GET", "billing/usage"): "billing_usage_retrieve",
        ("POST", "billing/usage/check"): "billing_usage_check",
        ("GET", "billing/usage/history"): "billing_usage_history_list",
        ("GET", "billing/history"): "billing_history_retrieve",
        HEALTH: "billing_health_retrieve",
    }


@pytest.mark.parametrize("name", SHAPES)
def test_fields_are_the_contracts_in_its_order_and_all_are_always_there(
    document: dict[str, Any], name: str
) -> None:
    schema = schema_of(document, name)
    assert list(schema["properties"]) == SHAPES[name]
    assert set(schema["required"]) == set(SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_what_may_be_null_is_said(document: dict[str, Any], name: str) -> None:
    properties = schema_of(document, name)["properties"]
    nullable = {field for field, schema in properties.items() if schema.get("nullable")}
    assert nullable == NULLABLE.get(name, set())


@pytest.mark.parametrize(("name", "field"), ENUMS)
def test_enumerations_are_the_contracts(document: dict[str, Any], name: str, field: str) -> None:
    assert enumeration(document, name, field) == ENUMS[name, field]


def test_a_check_takes_an_action_and_perhaps_an_estimate(document: dict[str, Any]) -> None:
    schema = schema_of(document, "UsageCheck")
    assert list(schema["properties"]) == ["action", "estimated_duration_seconds"]
    assert schema["required"] == ["action"]
    assert enumeration(document, "UsageCheck", "action") == ACTIONS


@pytest.mark.parametrize("name", TAKES)
def test_what_leads_to_stripe_takes_what_the_contract_says(document: dict[str, Any], name: str) -> None:
    schemas = document["components"]["schemas"]
    assert list(schemas[name]["properties"]) == list(TAKES[name])
    assert schemas[name].get("required", []) == [field for field, must in TAKES[name].items() if must]


def test_a_cancellation_answers_the_subscription_and_a_sentence(document: dict[str, Any]) -> None:
    answer = operations(document)["POST", "billing/subscription/cancel"]["responses"]["200"]
    subscription, sentence = answer["content"]["application/json"]["schema"]["allOf"]
    assert subscription == {"$ref": "#/components/schemas/UserSubscription"}
    assert sentence["required"] == list(sentence["properties"]) == ["message"]


@pytest.mark.parametrize("endpoint", ASK_STRIPE)
def test_whatever_asks_stripe_may_find_it_refusing_or_away(
    document: dict[str, Any], endpoint: tuple[str, str]
) -> None:
    answers = operations(document)[endpoint]["responses"]
    assert "`stripe_error`" in answers["502"]["description"]
    assert "`stripe_unavailable`" in answers["503"]["description"]
    assert "Retry-After" in answers["503"]["headers"]


def test_pages_have_the_contracts_bounds(document: dict[str, Any]) -> None:
    pages = {
        (path, parameter["name"]): parameter["schema"]
        for (_, path), operation in operations(document).items()
        for parameter in operation.get("parameters", [])
    }
    assert list(pages) == [
        ("billing/history", "limit"),
        ("billing/history", "offset"),
        ("billing/subscription/preview", "plan_id"),
        ("billing/usage/history", "limit"),
    ]
    assert pages["billing/history", "limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 10,
    }
    assert pages["billing/history", "offset"]["default"] == 0
    assert pages["billing/usage/history", "limit"]["default"] == 12


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_refusal_names_its_codes_and_has_a_body(
    document: dict[str, Any], endpoint: tuple[str, str]
) -> None:
    answers = operations(document)[endpoint]["responses"]
    for status, answer in answers.items():
        (schema,) = [content["schema"] for content in answer["content"].values()]
        assert list(answer["content"]) == ["application/json"]
        if status == "200":
            continue
        codes = set(re.findall(r"`(\w+)`", answer["description"])) & STATUS_OF_CODE.keys()
        assert codes
        assert {str(STATUS_OF_CODE[code]) for code in codes} == {status}
        assert "BillingError" in str(schema) or "BillingUsageCheck403" in str(schema)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_contracts_refusals_are_all_there(document: dict[str, Any], endpoint: tuple[str, str]) -> None:
    operation = operations(document)[endpoint]
    for status, codes in ENDPOINTS[endpoint].items():
        description = operation["responses"][str(status)]["description"]
        assert codes <= set(re.findall(r"`(\w+)`", description))
    anyone = endpoint in (("GET", "billing/plans"), WEBHOOK)
    assert ({} in operation["security"]) is anyone
    assert ({"401", "403"} <= operation["responses"].keys()) is not anyone
    assert ("429" in operation["responses"]) is (endpoint != WEBHOOK)
    if endpoint != WEBHOOK:
        assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_health_answers_alike_well_or_not(document: dict[str, Any]) -> None:
    operation = operations(document)[HEALTH]
    assert set(operation["responses"]) == {"200", "401", "403", "429", "503"}
    shapes = [
        operation["responses"][status]["content"]["application/json"]["schema"] for status in ("200", "503")
    ]
    assert shapes == [{"$ref": "#/components/schemas/Health"}] * 2
    assert {} not in operation["security"]


def test_a_refused_check_has_a_shape_of_its_own(document: dict[str, Any]) -> None:
    either = [reference["$ref"] for reference in schema_of(document, "BillingUsageCheck403")["oneOf"]]
    assert [name.rpartition("/")[2] for name in either] == ["UsageRefused", "BillingError"]


def test_no_code_stands_for_two_statuses() -> None:
    assert not STATUS_OF_CODE.keys() & HTTP_STATUS_OF_CODE.keys()


def test_the_document_speaks_of_no_stripe_id(document: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"\w*stripe_\w*", text)) == {"stripe_error", "stripe_unavailable"}
    names = [
        name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})
    ]
    assert not [name for name in names if "stripe" in name or name.endswith(("customer_id", "invoice_id"))]


def test_without_drf_spectacular_nothing_is_decorated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "drf_spectacular", None)  # as if it were not installed
    fresh = runpy.run_path(schema.__file__)
    refusals = fresh["Refusals"](BillingErrorSerializer, {429: "`throttled`"})
    assert fresh["documented"]("an_operation", BillingErrorSerializer, refusals)(len) is len
    assert fresh["typed"]({"type": "number"})(len) is len
