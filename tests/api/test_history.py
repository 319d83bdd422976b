"""GET billing/history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import URLS, assert_refused, client_of
from tests.api.contract import ENUMS, OBJECTS, PARTS
from tests.factories import make_payment, make_user

HISTORY = URLS["billing/history"]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def ids(client: APIClient, **query: Any) -> list[int]:
    response = client.get(HISTORY, query)
    assert response.status_code == 200
    return [transaction["id"] for transaction in response.json()["transactions"]]


def test_a_payment_has_the_contracts_fields(signed_in: APIClient, user: Any) -> None:
    paid = make_payment(
        user=user,
        created_at=NOON,
        description="Standard, March",
        invoice_url="https://pay.example.com/1",
        invoice_pdf="https://pay.example.com/1.pdf",
    )
    body = signed_in.get(HISTORY).json()
    assert list(body) == PARTS["PaymentHistory"]
    assert body["total"] == 1
    (shown,) = body["transactions"]
    assert list(shown) == OBJECTS["PaymentTransaction"]
    assert shown == {
        "id": paid.pk,
        "amount_cents": 1200,
        "amount_display": "$12.00",
        "currency": "USD",
        "type": "subscription_payment",
        "status": "succeeded",
        "description": "Standard, March",
        "invoice_url": "https://pay.example.com/1",
        "invoice_pdf": "https://pay.example.com/1.pdf",
        "created_at": "2026-03-10T12:00:00Z",
    }


def test_nothing_paid_is_an_empty_list(signed_in: APIClient) -> None:
    assert signed_in.get(HISTORY).json() == {"total": 0, "transactions": []}


def test_a_payment_without_an_invoice_has_null_links(signed_in: APIClient, user: Any) -> None:
    make_payment(user=user)
    (shown,) = signed_in.get(HISTORY).json()["transactions"]
    assert shown["invoice_url"] is shown["invoice_pdf"] is None


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (-1200, "USD", "en", "-$12.00"),
        (1480, "JPY", "en", "¥1,480"),
        (-1480, "JPY", "ja", "-￥1,480"),
        (5, "USD", "en", "$0.05"),
    ],
)
def test_amounts_are_written_in_the_currencys_own_way(
    signed_in: APIClient, user: Any, amount: int, currency: str, language: str, text: str
) -> None:
    make_payment(user=user, amount_cents=amount, currency=currency)
    response = signed_in.get(HISTORY, headers={"accept-language": language})
    (shown,) = response.json()["transactions"]
    assert (shown["amount_cents"], shown["amount_display"]) == (amount, text)


@pytest.mark.parametrize("kind", ENUMS["PaymentTransaction", "type"])
@pytest.mark.parametrize("status", ENUMS["PaymentTransaction", "status"])
def test_every_type_and_status_is_told_as_it_is(
    signed_in: APIClient, user: Any, kind: str, status: str
) -> None:
    make_payment(user=user, type=kind, status=status)
    (shown,) = signed_in.get(HISTORY).json()["transactions"]
    assert (shown["type"], shown["status"]) == (kind, status)


def test_newest_first_and_ties_by_the_order_of_recording(signed_in: APIClient, user: Any) -> None:
    late = make_payment(user=user, created_at=NOON + timedelta(days=1))
    ties = [make_payment(user=user, created_at=NOON).pk for _ in range(5)]
    early = make_payment(user=user, created_at=NOON - timedelta(days=1))
    assert ids(signed_in) == [late.pk, *reversed(ties), early.pk]


def test_pages_neither_repeat_nor_skip_a_tie(signed_in: APIClient, user: Any) -> None:
    for _ in range(23):
        make_payment(user=user, created_at=NOON)
    pages = [ids(signed_in, limit=5, offset=offset) for offset in range(0, 25, 5)]
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    together = list(chain.from_iterable(pages))
    assert together == ids(signed_in, limit=100)
    assert len(set(together)) == 23


def test_ten_unless_asked_and_the_total_counts_all(signed_in: APIClient, user: Any) -> None:
    for _ in range(12):
        make_payment(user=user)
    body = signed_in.get(HISTORY).json()
    assert (body["total"], len(body["transactions"])) == (12, 10)
    beyond = signed_in.get(HISTORY, {"offset": 10**9}).json()
    assert beyond == {"total": 12, "transactions": []}


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(
    "value",
    [
        *["-1", "1e9", "9" * 400, "9" * 5000, "1.5", "NaN", "Infinity", "true", " ", "[1]", "{}", "1\x00"],
        *["ten", "0x10", "1 or 1=1", "\u00bd"],
    ],
)
def test_a_page_that_makes_no_sense_is_refused(signed_in: APIClient, name: str, value: str) -> None:
    body = assert_refused(signed_in.get(HISTORY, {name: value}), "invalid_request")
    assert list(body["details"]) == [name]


@pytest.mark.parametrize(("limit", "fits"), [("0", False), ("1", True), ("100", True), ("101", False)])
@pytest.mark.parametrize("path", ["billing/history", "billing/usage/history"])
def test_a_page_has_1_to_100_lines(signed_in: APIClient, path: str, limit: str, fits: bool) -> None:
    response = signed_in.get(URLS[path], {"limit": limit})
    assert response.status_code == (200 if fits else 400)


def test_a_page_left_empty_is_the_first(signed_in: APIClient, user: Any) -> None:
    paid = make_payment(user=user)
    assert ids(signed_in, limit="", offset="") == [paid.pk]


def test_digits_of_any_script_are_digits(signed_in: APIClient, user: Any) -> None:
    for _ in range(3):
        make_payment(user=user)
    assert len(ids(signed_in, limit="\u0662")) == 2


def test_nobody_sees_the_payments_of_another(signed_in: APIClient, user: Any) -> None:
    mine, theirs = make_payment(user=user), make_payment()
    make_payment(user=None)
    assert ids(signed_in) == [mine.pk]
    assert ids(signed_in, user=theirs.user_id, user_id=theirs.user_id) == [mine.pk]
    assert ids(client_of(make_user())) == []


def test_the_number_of_queries_does_not_grow_with_the_payments(
    signed_in: APIClient, user: Any, django_assert_num_queries: Any
) -> None:
    for _ in range(8):
        make_payment(user=user)
    with django_assert_num_queries(4):  # session, user, lines, total
        signed_in.get(HISTORY)
