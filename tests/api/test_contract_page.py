"""The data in contract.py is what the contract's page says, wherever that page is at hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.api.contract import (
    ACTIONS,
    ASK_STRIPE,
    ENDPOINTS,
    ENUMS,
    OBJECTS,
    PARTS,
    STATUS_OF_CODE,
    TAKES,
    WEBHOOK,
)

PAGE = Path(__file__).parents[2].parent / "shared" / "contract" / "API.md"

pytestmark = pytest.mark.skipif(
    not PAGE.exists(),
    reason="The contract's page (../shared/contract/API.md) is not part of this repository; "
    "without it, contract.py alone says what was promised.",
)


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def rows(page: str) -> dict[tuple[str, str], str]:
    """Every endpoint of the page with the rest of its line."""
    found = re.findall(r"^\| (GET|POST) `([\w/-]+)([^\n]*)$", page, re.MULTILINE)
    return {(method, path): rest for method, path, rest in found}


def described(page: str, name: str) -> str:
    """The paragraph that says what an object has."""
    match = re.search(rf"^{name}: (.+?)\.\n\n", page, re.MULTILINE | re.DOTALL)
    assert match is not None, name
    return match[1]


def outside_brackets(text: str) -> list[str]:
    return re.findall(r"`([\w]+)`", re.sub(r"\([^()]*\)", "", text))


def in_brackets_after(text: str, field: str) -> list[str]:
    match = re.search(rf"`{field}` \(([^()]*)\)", text)
    assert match is not None, field
    return re.findall(r"`(\w+)`", match[1])


def test_the_endpoints_are_the_pages(page: str) -> None:
    assert rows(page).keys() == ENDPOINTS.keys()
    assert {*ASK_STRIPE, WEBHOOK} <= ENDPOINTS.keys()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_refusals_are_the_pages(page: str, endpoint: tuple[str, str]) -> None:
    refusals = rows(page)[endpoint].rstrip(" |").rpartition("|")[2]
    stated = {int(status) for status in re.findall(r"\b(4\d\d)\b", refusals)}
    codes = {code for code in re.findall(r"`(\w+)`", refusals) if code in STATUS_OF_CODE}
    assert stated == ENDPOINTS[endpoint].keys()
    assert codes == set().union(*ENDPOINTS[endpoint].values())


@pytest.mark.parametrize("name", OBJECTS)
def test_the_fields_are_the_pages_in_its_order(page: str, name: str) -> None:
    assert outside_brackets(described(page, name)) == OBJECTS[name]


@pytest.mark.parametrize(("name", "field"), [key for key in ENUMS if key[0] in OBJECTS])
def test_the_enumerations_are_the_pages(page: str, name: str, field: str) -> None:
    assert in_brackets_after(described(page, name), field) == ENUMS[name, field]


def test_overage_and_warnings_are_the_pages(page: str) -> None:
    text = described(page, "UsageRecord")
    assert in_brackets_after(text, "overage") == PARTS["UsageOverage"]
    resources = ENUMS["UsageWarning", "resource"]
    threshold, resource, *kinds, reached = in_brackets_after(text, "warnings")
    assert ([threshold, resource, reached], kinds) == (PARTS["UsageWarning"], resources)


def test_the_error_body_is_the_pages(page: str) -> None:
    sentence = page.partition("Every 4xx/5xx body of these endpoints:")[2].partition(".")[0]
    assert outside_brackets(sentence) == PARTS["BillingError"]


def test_the_codes_have_the_pages_statuses(page: str) -> None:
    table = page.partition("| status | codes |")[2].partition("## ")[0]
    statuses: dict[str, int] = {}
    for line in re.findall(r"^\| (\d.*) \| (.*) \|$", table, re.MULTILINE):
        numbers = [int(number) for number in re.findall(r"\d{3}", line[0])]
        groups = line[1].split(" / ") if len(numbers) > 1 else [line[1]]
        for number, group in zip(numbers, groups, strict=True):
            statuses |= dict.fromkeys(outside_brackets(group), number)
    assert statuses == STATUS_OF_CODE


def test_a_checks_answers_are_the_pages(page: str) -> None:
    row = rows(page)["POST", "billing/usage/check"]
    assert "{action, estimated_duration_seconds?}" in row
    assert re.findall(r"`(\w+_video)`", row) == ACTIONS
    allowed, refused = re.findall(r"\{(allowed: [^}]*)\}", row)
    assert [part.partition(":")[0] for part in allowed.split(", ")] == PARTS["UsageAllowed"]
    assert [part.partition(":")[0] for part in refused.split(", ")] == PARTS["UsageRefused"]


def test_the_pages_of_histories_are_the_pages(page: str) -> None:
    assert "?limit=10&offset=0` (limit 1 to 100)" in rows(page)["GET", "billing/history"]
    assert "{total, transactions: [PaymentTransaction]}" in rows(page)["GET", "billing/history"]
    assert "?limit=12`" in rows(page)["GET", "billing/usage/history"]


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("billing/subscription/checkout", "Checkout"),
        ("billing/subscription/cancel", "Cancel"),
        ("billing/subscription/change", "PlanChoice"),
        ("billing/subscription/sync", "Sync"),
        ("billing/portal", "Portal"),
    ],
)
def test_what_is_sent_is_the_pages(page: str, path: str, takes: str) -> None:
    sent = re.search(r"^`? `?\{([^}]*)\}", rows(page)["POST", path])
    assert sent is not None
    names = re.findall(r"(?:^|, )(\w+)(\??)", sent[1])
    assert {name: not optional for name, optional in names} == TAKES[takes]


@pytest.mark.parametrize(
    ("endpoint", "part"),
    [
        (("POST", "billing/subscription/checkout"), "CheckoutSession"),
        (("POST", "billing/portal"), "PortalSession"),
        (("GET", "billing/payment-method"), "PaymentMethod"),
        (WEBHOOK, "WebhookReceived"),
    ],
)
def test_what_is_answered_is_the_pages(page: str, endpoint: tuple[str, str], part: str) -> None:
    answers = re.findall(r"200:? `\{([^}]*)\}`", rows(page)[endpoint])
    assert [re.findall(r"(?:^|, )(\w+)", answer) for answer in answers] == [PARTS[part]]
