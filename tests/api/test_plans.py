"""GET billing/plans."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import URLS
from tests.api.contract import OBJECTS
from tests.factories import make_plan

PLANS = URLS["billing/plans"]

pytestmark = pytest.mark.django_db


def listed(client: APIClient, **headers: Any) -> list[dict[str, Any]]:
    response = client.get(PLANS, headers=headers)
    assert response.status_code == 200
    plans: list[dict[str, Any]] = response.json()
    return plans


def test_a_plan_has_the_contracts_fields(client: APIClient) -> None:
    make_plan(name="Team", slug="team", description="For teams.", price_cents=1200, sort_order=7)
    (shown,) = listed(client)
    assert list(shown) == OBJECTS["SubscriptionPlan"]
    assert shown == {
        "id": shown["id"],
        "name": "Team",
        "slug": "team",
        "description": "For teams.",
        "price_cents": 1200,
        "price_display": "$12.00/month",
        "currency": "USD",
        "interval": "month",
        "video_limit": 5,
        "transcription_limit_minutes": 60,
        "features": ["5 videos per month", "60 minutes of transcription per month"],
        "sort_order": 7,
    }


def test_no_plans_is_an_empty_array(client: APIClient) -> None:
    assert listed(client) == []


def test_plans_come_by_sort_order_and_ties_stay_put(client: APIClient) -> None:
    for slug, sort_order in (("last", 9), ("tie-1", 5), ("tie-2", 5), ("first", -1)):
        make_plan(slug=slug, sort_order=sort_order)
    assert [plan["slug"] for plan in listed(client)] == ["first", "tie-1", "tie-2", "last"]


def test_inactive_and_custom_plans_are_not_listed(client: APIClient) -> None:
    make_plan(slug="shown")
    make_plan(slug="retired", is_active=False)
    make_plan(slug="custom", is_public=False)
    assert [plan["slug"] for plan in listed(client)] == ["shown"]


def test_the_number_of_queries_does_not_grow_with_the_plans(
    client: APIClient, django_assert_num_queries: Any
) -> None:
    for number in range(1, 8):
        make_plan(price_cents=number)
    with django_assert_num_queries(1):
        assert len(listed(client)) == 7


def test_unlimited_is_null_and_said_in_words(client: APIClient) -> None:
    make_plan(video_limit=None, transcription_limit_minutes=None)
    (shown,) = listed(client)
    assert shown["video_limit"] is shown["transcription_limit_minutes"] is None
    assert shown["features"] == ["Unlimited videos", "Unlimited transcription"]


@pytest.mark.parametrize("features", [["Priority support", "100 % done"], ["", "%(count)d <b>"]])
def test_a_plans_own_features_are_shown_as_written(client: APIClient, features: list[str]) -> None:
    make_plan(features=features)
    assert listed(client)[0]["features"] == features


def test_a_description_that_was_never_written_is_empty(client: APIClient) -> None:
    make_plan(description=None)
    assert listed(client)[0]["description"] == ""


@pytest.mark.parametrize(
    ("price_cents", "currency", "interval", "english"),
    [
        (0, "USD", "month", "Free"),
        (0, "JPY", "year", "Free"),
        (1200, "USD", "month", "$12.00/month"),
        (12005, "USD", "year", "$120.05/year"),
        (1480, "JPY", "month", "¥1,480/month"),
        (99, "EUR", "month", "€0.99/month"),
    ],
)
def test_prices_are_written_in_the_currencys_own_way(
    client: APIClient, price_cents: int, currency: str, interval: str, english: str
) -> None:
    make_plan(price_cents=price_cents, currency=currency, interval=interval)
    assert listed(client)[0]["price_display"] == english


def test_the_language_of_the_request_decides_the_money(client: APIClient) -> None:
    make_plan(price_cents=1480, currency="JPY")
    (shown,) = listed(client, accept_language="ja,en;q=0.5")
    assert "1,480" in shown["price_display"]
    assert "￥" in shown["price_display"]
    assert ".00" not in shown["price_display"]


@pytest.mark.parametrize("language", ["ja", "xx", "de-DE;q=broken", "*", "ja-\u00e9", "a" * 3000])
def test_no_language_breaks_the_answer(client: APIClient, language: str) -> None:
    make_plan(price_cents=1200)
    (shown,) = listed(client, accept_language=language)
    assert "12.00" in shown["price_display"]
    assert len(shown["features"]) == 2


def test_anyone_may_ask_signed_in_or_not(client: APIClient, signed_in: APIClient) -> None:
    assert listed(client) == listed(signed_in)
