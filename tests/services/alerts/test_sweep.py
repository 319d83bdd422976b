"""What no commit could tell of is found in the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import UsageAlert, UsageRecord, UserSubscription
from django_videoq_billing.services import alert_sweep, usage_tracker
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from tests.factories import make_plan, subscribed
from tests.services.alerts.told import sweep, told


def used(user: User, **counters: Any) -> User:
    """As if it had been counted where nobody could tell of it."""
    UsageTracker.count(user, Metric.VIDEO, 1)
    usage_tracker.flush_usage()
    UsageRecord.objects.filter(user=user).update(**counters)
    return user


def test_it_is_told_once(user: User, heard: list[UsageAlert]) -> None:
    used(user, video_count=9, transcription_seconds=6001)

    assert (sweep(), sweep()) == (2, 0)

    assert (told(user), told(user, Metric.TRANSCRIPTION)) == ([90], [100])
    assert sorted((alert.metric, alert.used, alert.limit) for alert in heard) == [
        ("transcription", 6001, 6000),
        ("video", 9, 10),
    ]


def test_what_was_told_at_the_commit_is_not_told_again(user: User) -> None:
    UsageTracker.count(user, Metric.VIDEO, 9)
    assert sweep() == 0
    assert told(user) == [90]


def test_what_a_higher_threshold_has_said_is_not_said_again(user: User) -> None:
    UsageTracker.count(user, Metric.VIDEO, 10)
    usage_tracker.flush_usage()
    UsageRecord.objects.filter(user=user).update(video_count=8)
    assert (sweep(), told(user)) == (0, [100])


def test_overlapping_holds_are_told_of_once_they_are_settled(user: User) -> None:
    first = UsageTracker.reserve(user, Metric.VIDEO, 3)
    second = UsageTracker.reserve(user, Metric.VIDEO, 6)
    second.commit()
    assert (sweep(), told(user)) == (0, []), "the first may still be given back"
    first.commit()
    assert told(user) == [], "what it knows is the counter of its reservation"
    assert (sweep(), told(user)) == (1, [90])


@pytest.mark.parametrize(
    "counters",
    [
        {"video_count": 7, "transcription_seconds": 4799},
        {"video_count": 10, "video_limit": None},
        {"video_count": 10, "video_limit": 0},
    ],
    ids=["below", "unlimited", "nothing allowed"],
)
def test_what_is_no_news(user: User, counters: dict[str, Any]) -> None:
    used(user, **counters)
    assert (sweep(), told(user)) == (0, [])


def test_a_period_that_is_over(user: User) -> None:
    used(user, video_count=9)
    with time_machine.travel(UsageTracker.report(user).period.end, tick=False):
        assert (sweep(), told(user)) == (0, [])


def test_a_limit_that_was_raised_since(user: User) -> None:
    used(user, video_count=9)
    user.subscription.plan.video_limit = 100
    user.subscription.plan.save()
    assert (sweep(), told(user)) == (0, [])


def test_the_smallest_limit_there_is(user: User) -> None:
    used(user, video_limit=1)
    user.subscription.plan.video_limit = 1
    user.subscription.plan.save()
    assert (sweep(), told(user)) == (1, [100])


def test_a_period_that_was_replaced_since(user: User) -> None:
    used(user, video_count=9)
    now = timezone.now()
    UserSubscription.objects.filter(user=user).update(
        current_period_start=now, current_period_end=now + timedelta(days=30)
    )
    assert (sweep(), told(user)) == (0, [])


def test_an_account_that_was_switched_off(user: User) -> None:
    used(user, video_count=9)
    User.objects.update(is_active=False)
    assert (sweep(), told(user)) == (0, [])


@pytest.fixture
def many(user: User, monkeypatch: pytest.MonkeyPatch) -> list[User]:
    monkeypatch.setattr(alert_sweep, "SPAN", 5)
    monkeypatch.setattr(alert_sweep, "BATCH", 2)
    return [used(subscribed(user.subscription.plan), video_count=8 + number % 2) for number in range(20)]


def test_a_run_that_is_stopped_goes_on_where_it_was(many: list[User]) -> None:
    answers: Iterator[bool] = iter([False, False, True])
    stopped = run_job(JOBS["find_usage_alerts"], asked_to_stop=lambda: next(answers))
    assert stopped is not None
    assert stopped.cursor
    before = [told(user) for user in many]
    assert [] in before
    assert sum(map(len, before)) == stopped.done > 0

    went_on = run_job(JOBS["find_usage_alerts"])
    assert went_on is not None
    assert (went_on.outcome, went_on.cursor) == ("ok", {})
    assert went_on.done == len(many) - stopped.done
    assert [told(user) for user in many] == [[80], [90]] * 10


def test_who_was_told_costs_no_query_of_his_own(many: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sweep()
    with CaptureQueriesContext(connection) as sql:
        list(alert_sweep.find_reached())
    assert len(sql.captured_queries) == 2, "the ids' bounds and the records"


def test_an_empty_site_and_one_without_thresholds(user: User, settings: Any) -> None:
    assert list(alert_sweep.find_reached()) == []
    used(user, video_count=10)
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "WARNING_THRESHOLDS": []}
    assert list(alert_sweep.find_reached()) == []


def test_huge_limits_and_counters_fit(user: User) -> None:
    largest = make_plan(video_limit=2**31 - 1, transcription_limit_minutes=2**31 - 1)
    rich = used(subscribed(largest), video_count=2**31 - 1, transcription_seconds=(2**31 - 1) * 60)
    assert (sweep(), told(rich), told(rich, Metric.TRANSCRIPTION)) == (2, [100], [100])
