"""429, by scope and by user."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from tests.api.clients import PERSONAL_AND_LOCAL, URLS, ask, assert_refused, client_of, token_client_of
from tests.api.contract import ASK_STRIPE, WEBHOOK
from tests.factories import make_user

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLANS = ("GET", "billing/plans")
USAGE = ("GET", "billing/usage")


@pytest.fixture(autouse=True)
def _rates(settings: Any, db: None) -> None:
    settings.VIDEOQ_BILLING = {"THROTTLE_RATES": {"plans": "2/min", "read": "3/hour"}}


def statuses(client: APIClient, endpoint: tuple[str, str], count: int, **extra: Any) -> list[int]:
    return [ask(client, endpoint, **extra).status_code for _ in range(count)]


def test_past_the_rate_a_client_waits_as_long_as_it_is_told(client: APIClient) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert statuses(client, PLANS, 2) == [200, 200]
        clock.shift(20.5)
        response = ask(client, PLANS)
        assert_refused(response, "throttled")
        assert response.headers["Retry-After"] == "40"
        clock.shift(39)
        assert statuses(client, PLANS, 1) == [429]
        clock.shift(1)
        assert statuses(client, PLANS, 1) == [200]


def test_each_user_has_a_rate_of_their_own(user: Any) -> None:
    assert statuses(client_of(user), USAGE, 4) == [200, 200, 200, 429]
    assert statuses(client_of(make_user()), USAGE, 1) == [200]


def test_a_user_has_one_rate_by_session_and_by_token(user: Any) -> None:
    assert statuses(client_of(user), USAGE, 3) == [200] * 3
    assert statuses(token_client_of(user), USAGE, 1) == [429]


def test_nobody_is_counted_by_address(client: APIClient) -> None:
    assert statuses(client, PLANS, 3, REMOTE_ADDR="192.0.2.1") == [200, 200, 429]
    assert statuses(client, PLANS, 1, REMOTE_ADDR="192.0.2.2") == [200]


def test_the_scopes_are_counted_apart(signed_in: APIClient) -> None:
    assert statuses(signed_in, USAGE, 4)[-1] == 429
    assert statuses(signed_in, PLANS, 3) == [200, 200, 429]


def test_all_that_reads_shares_one_scope(signed_in: APIClient) -> None:
    answers = [ask(signed_in, endpoint).status_code for endpoint in PERSONAL_AND_LOCAL]
    assert answers == [200, 200, 200, 429, 429, 429]


@pytest.mark.parametrize("endpoint", ASK_STRIPE)
def test_what_asks_stripe_has_a_rate_of_its_own(
    settings: Any, signed_in: APIClient, endpoint: tuple[str, str]
) -> None:
    settings.VIDEOQ_BILLING = {"THROTTLE_RATES": {"write": "1/min"}}
    first, second = statuses(signed_in, endpoint, 2)
    assert (first != 429, second) == (True, 429)
    assert statuses(signed_in, USAGE, 1) == [200]


def test_stripe_may_send_as_much_as_it_likes(settings: Any, client: APIClient) -> None:
    rates = dict.fromkeys(["plans", "read", "write"], "1/day")
    settings.VIDEOQ_BILLING = {"THROTTLE_RATES": rates}
    assert statuses(client, WEBHOOK, 5) == [400] * 5


def test_none_turns_a_throttle_off(settings: Any, signed_in: APIClient) -> None:
    settings.VIDEOQ_BILLING = {"THROTTLE_RATES": {"plans": None, "read": None}}
    assert set(statuses(signed_in, PLANS, 70) + statuses(signed_in, USAGE, 130)) == {200}


def test_out_of_the_box_the_rates_are_generous_and_there(settings: Any, client: APIClient) -> None:
    settings.VIDEOQ_BILLING = {}
    with time_machine.travel(NOON, tick=False):
        assert statuses(client, PLANS, 61) == [200] * 60 + [429]


def test_a_changed_rate_counts_from_the_next_request(settings: Any, client: APIClient) -> None:
    assert statuses(client, PLANS, 3)[-1] == 429
    settings.VIDEOQ_BILLING = {"THROTTLE_RATES": {"plans": "5/min"}}
    assert statuses(client, PLANS, 1) == [200]


def test_who_may_not_ask_uses_up_nothing(client: APIClient) -> None:
    assert statuses(client, USAGE, 10) == [401] * 10


def test_a_wrong_question_is_counted_like_any_other(signed_in: APIClient) -> None:
    wrong = [signed_in.get(URLS["billing/history"], {"limit": "x"}).status_code for _ in range(4)]
    assert wrong == [400, 400, 400, 429]
