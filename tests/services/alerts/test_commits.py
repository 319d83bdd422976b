"""Warnings at the moment at which usage reaches a threshold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.models import UsageAlert
from django_videoq_billing.services import recount, transcription
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from tests.factories import make_plan, subscribed
from tests.services.alerts.told import told


def hold_and_commit(user: User, amount: int) -> None:
    UsageTracker.reserve(user, Metric.VIDEO, amount).commit()


def count(user: User, amount: int) -> None:
    UsageTracker.count(user, Metric.VIDEO, amount)


@pytest.mark.parametrize("use", [hold_and_commit, count, UsageTracker.increment_video_count])
class TestWhoeverCounts:
    def test_each_threshold_is_told_once(self, user: User, use: Callable[[User, int], None]) -> None:
        use(user, 7)
        assert told(user) == []
        for expected in ([80], [80, 90], [80, 90, 100]):
            use(user, 1)
            assert told(user) == expected

    def test_a_jump_tells_of_the_highest_alone(self, user: User, use: Callable[[User, int], None]) -> None:
        use(user, 7)
        use(user, 3)
        assert told(user) == [100]

    def test_between_two_thresholds_nothing_is_new(
        self, user: User, use: Callable[[User, int], None], settings: Any
    ) -> None:
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "WARNING_THRESHOLDS": [50]}
        for _ in range(10):
            use(user, 1)
        assert told(user) == [50]

    def test_without_thresholds_nobody_is_told(
        self, user: User, use: Callable[[User, int], None], settings: Any
    ) -> None:
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "WARNING_THRESHOLDS": []}
        use(user, 10)
        assert told(user) == []

    def test_without_a_limit_nobody_is_told(self, user: User, use: Callable[[User, int], None]) -> None:
        free = subscribed(make_plan(video_limit=None))
        use(free, 10**6)
        assert told(free) == []


def test_the_alert_tells_what_was_reached(user: User, heard: list[UsageAlert]) -> None:
    UsageTracker.reserve(user, Metric.VIDEO, 9).commit()

    (alert,) = heard
    period = UsageTracker.report(user).period
    assert (alert.user, alert.metric, alert.threshold, alert.used, alert.limit) == (user, "video", 90, 9, 10)
    assert (alert.period_start, alert.period_end) == (period.start, period.end)


def test_each_metric_has_its_own_warnings(user: User) -> None:
    UsageTracker.count(user, Metric.VIDEO, 8)
    UsageTracker.count(user, Metric.TRANSCRIPTION, 5400)
    assert (told(user), told(user, Metric.TRANSCRIPTION)) == ([80], [90])


def test_what_a_higher_threshold_has_said_is_not_said_again(user: User) -> None:
    counted = UsageTracker.count(user, Metric.VIDEO, 10)
    counted.release()
    UsageTracker.count(user, Metric.VIDEO, 8)
    assert told(user) == [100]


def test_a_limit_of_zero_is_never_reached(user: User) -> None:
    nobody = subscribed(make_plan(video_limit=0))
    UsageTracker.increment_video_count(nobody)
    assert told(nobody) == []


class TestHolds:
    def test_what_is_only_held_is_not_told(self, user: User) -> None:
        UsageTracker.reserve(user, Metric.VIDEO, 10).keep()
        assert told(user) == []

    def test_what_is_given_back_is_not_told(self, user: User) -> None:
        UsageTracker.reserve(user, Metric.VIDEO, 10).release()
        assert told(user) == []

    def test_what_others_may_still_give_back_is_not_told(self, user: User) -> None:
        others = UsageTracker.reserve(user, Metric.VIDEO, 9)
        UsageTracker.reserve(user, Metric.VIDEO).commit()
        assert told(user) == []
        others.commit()
        assert told(user) == [100]

    def test_what_others_have_given_back_is_not_told(self, user: User) -> None:
        others = UsageTracker.reserve(user, Metric.VIDEO, 9)
        mine = UsageTracker.reserve(user, Metric.VIDEO)
        others.release()
        mine.commit()
        assert told(user) == []

    def test_holds_of_another_metric_change_nothing(self, user: User) -> None:
        UsageTracker.reserve(user, Metric.TRANSCRIPTION, 5).keep()
        UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
        assert told(user) == [80]

    @pytest.mark.parametrize(("actual", "expected"), [(5, []), (8, [80]), (9, [90]), (10, [100]), (0, [])])
    def test_less_was_used_than_reserved(self, user: User, actual: int, expected: list[int]) -> None:
        UsageTracker.reserve(user, Metric.VIDEO, 10).commit(actual)
        assert told(user) == expected

    def test_more_was_used_than_reserved(self, user: User) -> None:
        UsageTracker.reserve(user, Metric.VIDEO, 1).commit(20)
        assert told(user) == [100]

    def test_more_was_used_after_others_have_counted(self, user: User) -> None:
        mine = UsageTracker.reserve(user, Metric.VIDEO, 1)
        UsageTracker.count(user, Metric.VIDEO, 5)
        mine.commit(3)
        assert told(user) == [80]

    def test_a_second_commit_is_no_news(self, user: User, heard: list[UsageAlert]) -> None:
        hold = UsageTracker.reserve(user, Metric.VIDEO, 8)
        hold.commit()
        hold.commit()
        assert [alert.threshold for alert in heard] == [80]


class TestALimitThatChanges:
    def test_a_raised_limit_tells_nothing_again(self, user: User) -> None:
        UsageTracker.count(user, Metric.VIDEO, 10)
        _limit(user, 20)
        UsageTracker.count(user, Metric.VIDEO, 10)
        assert told(user) == [100]

    def test_it_makes_room_for_what_was_never_told(self, user: User) -> None:
        UsageTracker.count(user, Metric.VIDEO, 10)
        _limit(user, 20)
        UsageTracker.count(user, Metric.VIDEO, 6)
        assert told(user) == [100, 80]

    def test_a_lowered_limit_does_not_repeat_what_a_higher_threshold_has_said(self, user: User) -> None:
        UsageTracker.count(user, Metric.VIDEO, 10)
        _limit(user, 8)
        UsageTracker.increment_video_count(user)
        assert told(user) == [100]

    def test_a_new_period_begins_anew(self, user: User) -> None:
        UsageTracker.count(user, Metric.VIDEO, 8)
        with time_machine.travel(timezone.now() + timedelta(days=32), tick=True):
            UsageTracker.count(user, Metric.VIDEO, 7)
            assert told(user) == [80]
            UsageTracker.count(user, Metric.VIDEO, 1)
            assert told(user) == [80, 80]


def _limit(user: User, videos: int) -> None:
    user.subscription.plan.video_limit = videos
    user.subscription.plan.save()


class TestTranscriptions:
    def test_past_the_limit_by_what_it_took(self, user: User) -> None:
        job = transcription.start(user, _video(), 60)
        assert told(user, Metric.TRANSCRIPTION) == []
        transcription.complete(job, 7000)
        assert told(user, Metric.TRANSCRIPTION) == [100]

    def test_less_than_estimated(self, user: User) -> None:
        transcription.complete(transcription.start(user, _video(), 6000), 4800)
        assert told(user, Metric.TRANSCRIPTION) == [80]

    def test_one_that_failed(self, user: User) -> None:
        transcription.fail(transcription.start(user, _video(), 6000), "no sound")
        assert told(user, Metric.TRANSCRIPTION) == []

    def test_of_an_account_that_was_switched_off(self, user: User, caplog: pytest.LogCaptureFixture) -> None:
        job = transcription.start(user, _video(), 6000)
        User.objects.update(is_active=False)
        transcription.complete(job, 6000)
        assert told(user, Metric.TRANSCRIPTION) == []
        assert caplog.records == [], "that is no failure"


def _video() -> Group:
    return Group.objects.create(name=f"video {Group.objects.count()}")


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(("status", "expected"), [(201, [100]), (422, [])])
def test_a_view_tells_only_of_what_stays_counted(
    user: User, hold: bool, status: int, expected: list[int]
) -> None:
    @requires_quota("video", amount=10, hold=hold)
    def upload(request: HttpRequest) -> HttpResponse:
        assert told(user) == []
        return HttpResponse(status=status)

    request = RequestFactory().post("/")
    request.user = user
    upload(request)

    assert told(user) == expected


def test_a_recount_tells_what_was_missing(user: User, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "RECOUNT": {"video": f"{__name__}.nine_videos"}}
    for found in recount.recounted():
        recount.mend(found)
    assert told(user) == [90]


def nine_videos(user: Any, period: Any) -> int:
    return 9
