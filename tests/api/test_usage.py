"""GET billing/usage and billing/usage/history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import URLS, client_of
from tests.api.contract import OBJECTS, PARTS
from tests.factories import make_plan, make_user, subscribed

USAGE = URLS["billing/usage"]
HISTORY = URLS["billing/usage/history"]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def shown_to(user: Any) -> dict[str, Any]:
    response = client_of(user).get(USAGE)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def past_months(user: Any, count: int, **counters: int) -> None:
    """Give the user `count` ended periods, the newest one month ago."""
    now = timezone.now()
    UsageRecord.objects.bulk_create(
        UsageRecord(
            user=user,
            billing_period_start=now - timedelta(days=30 * (age + 1)),
            billing_period_end=now - timedelta(days=30 * age),
            video_count=age,
            **counters,
        )
        for age in range(1, count + 1)
    )


def test_usage_has_the_contracts_fields(plan: SubscriptionPlan) -> None:
    with time_machine.travel(NOON, tick=False):
        user = subscribed(plan)
        UsageTracker.increment_video_count(user, 6)
        UsageTracker.increment_transcription_seconds(user, 2893)
        body = shown_to(user)
    assert list(body) == OBJECTS["UsageRecord"]
    assert list(body["overage"]) == PARTS["UsageOverage"]
    assert [list(warning) for warning in body["warnings"]] == [PARTS["UsageWarning"]] * 6
    assert body == {
        "billing_period_start": "2026-03-10T12:00:00Z",
        "billing_period_end": "2026-04-10T12:00:00Z",
        "video_count": 6,
        "video_limit": 5,
        "video_usage_percentage": 120.0,
        "transcription_seconds": 2893,
        "transcription_minutes": 48.2,
        "transcription_limit_minutes": 60,
        "transcription_usage_percentage": 80.3,
        "overage": {"video_count": 1, "transcription_seconds": 0},
        "warnings": [
            {"threshold": 80, "resource": "video", "reached": True},
            {"threshold": 90, "resource": "video", "reached": True},
            {"threshold": 100, "resource": "video", "reached": True},
            {"threshold": 80, "resource": "transcription", "reached": True},
            {"threshold": 90, "resource": "transcription", "reached": False},
            {"threshold": 100, "resource": "transcription", "reached": False},
        ],
        "updated_at": "2026-03-10T12:00:00Z",
    }


def test_before_anything_is_counted_usage_is_zero_not_missing(user: Any) -> None:
    body = shown_to(user)
    assert (body["video_count"], body["transcription_seconds"], body["updated_at"]) == (0, 0, None)
    assert (body["video_usage_percentage"], body["video_limit"]) == (0.0, 3)
    assert not any(warning["reached"] for warning in body["warnings"])


def test_what_is_unlimited_has_no_limit_no_share_and_no_warning(db: None) -> None:
    user = subscribed(make_plan(video_limit=None, transcription_limit_minutes=None))
    UsageTracker.increment_video_count(user, 1000)
    body = shown_to(user)
    nothing = ("video_limit", "video_usage_percentage", "transcription_limit_minutes")
    assert [body[name] for name in nothing] == [None, None, None]
    assert body["transcription_usage_percentage"] is None
    assert body["warnings"] == []
    assert body["overage"] == {"video_count": 0, "transcription_seconds": 0}


def test_warnings_follow_the_sites_own_thresholds(settings: Any, user: Any) -> None:
    settings.VIDEOQ_BILLING = {"WARNING_THRESHOLDS": [50]}
    UsageTracker.increment_video_count(user, 2)
    assert shown_to(user)["warnings"] == [
        {"threshold": 50, "resource": "video", "reached": True},
        {"threshold": 50, "resource": "transcription", "reached": False},
    ]


def test_a_new_period_starts_at_zero_and_the_old_one_becomes_history(plan: SubscriptionPlan) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        user = subscribed(plan)
        UsageTracker.increment_video_count(user, 4)
        assert client_of(user).get(HISTORY).json() == []
        clock.move_to(datetime(2026, 4, 10, 12, tzinfo=UTC))
        body, past = shown_to(user), client_of(user).get(HISTORY).json()
    assert (body["video_count"], body["billing_period_start"]) == (0, "2026-04-10T12:00:00Z")
    assert [list(record) for record in past] == [OBJECTS["UsageRecord"]]
    assert (past[0]["video_count"], past[0]["billing_period_end"]) == (4, "2026-04-10T12:00:00Z")


def test_history_shows_the_limits_that_were_in_force(plan: SubscriptionPlan) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        user = subscribed(plan)
        UsageTracker.increment_video_count(user, 4)
        clock.move_to(datetime(2026, 5, 1, tzinfo=UTC))
        SubscriptionPlan.objects.filter(pk=plan.pk).update(video_limit=500)
        (past,) = client_of(user).get(HISTORY).json()
        assert (past["video_limit"], shown_to(user)["video_limit"]) == (5, 500)


def test_history_is_newest_first_and_twelve_long_unless_asked(signed_in: APIClient, user: Any) -> None:
    past_months(user, 15)
    assert [record["video_count"] for record in signed_in.get(HISTORY).json()] == list(range(1, 13))
    assert [record["video_count"] for record in signed_in.get(HISTORY, {"limit": 2}).json()] == [1, 2]
    assert len(signed_in.get(HISTORY, {"limit": 100}).json()) == 15


def test_nobody_sees_the_usage_of_another(user: Any) -> None:
    other = make_user()
    UsageTracker.increment_video_count(other, 2)
    past_months(other, 3)
    assert shown_to(user)["video_count"] == 0
    assert client_of(user).get(HISTORY).json() == []


@pytest.mark.parametrize("url", [USAGE, HISTORY])
def test_the_number_of_queries_does_not_grow_with_the_history(
    url: str, plan: SubscriptionPlan, django_assert_max_num_queries: Any
) -> None:
    user = subscribed(plan)
    UsageTracker.increment_video_count(user)
    past_months(user, 12, transcription_limit_seconds=60, video_limit=3)
    client = client_of(user)
    with django_assert_max_num_queries(4):  # session, user, subscription and record
        assert client.get(url).status_code == 200


def test_usage_of_a_lapsed_subscription_is_measured_by_the_default_plan(plan: SubscriptionPlan) -> None:
    user = subscribed(plan, status=UserSubscription.Status.UNPAID)
    assert shown_to(user)["video_limit"] == 3
