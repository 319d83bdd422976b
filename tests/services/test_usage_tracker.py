from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone, translation

from django_videoq_billing.exceptions import InvalidRequest, QuotaExceeded
from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services.usage_tracker import UsageTracker, past_reports
from django_videoq_billing.signals import quota_exceeded
from django_videoq_billing.types import Metric
from tests.factories import make_plan, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db: None) -> Any:
    return subscribed(make_plan(video_limit=2, transcription_limit_minutes=10))


def videos(user: Any) -> int:
    return UsageTracker.get_usage(user)["video_count"]


class TestReserve:
    def test_the_end_of_the_block_commits(self, user: Any) -> None:
        with UsageTracker.reserve(user, "video"):
            assert videos(user) == 1

        assert UsageReservation.objects.get().state == "committed"

    def test_an_exception_gives_back_and_goes_on(self, user: Any) -> None:
        with pytest.raises(ZeroDivisionError), UsageTracker.reserve(user, "video"):
            raise ZeroDivisionError

        assert videos(user) == 0

    def test_the_block_may_settle_what_it_really_used(self, user: Any) -> None:
        with UsageTracker.reserve(user, Metric.TRANSCRIPTION, 100) as hold:
            hold.commit(63)

        assert UsageTracker.get_usage(user)["transcription_seconds"] == 63

    def test_the_block_may_release(self, user: Any) -> None:
        with UsageTracker.reserve(user, "video") as hold:
            hold.release()

        assert videos(user) == 0

    def test_a_kept_hold_stays_open(self, user: Any) -> None:
        with UsageTracker.reserve(user, "video") as hold:
            hold.keep()

        assert UsageReservation.objects.get().state == "held"

    def test_a_failing_repetition_does_not_take_back_what_is_committed(self, user: Any) -> None:
        with UsageTracker.reserve(user, "video", key="task-1"):
            pass
        with pytest.raises(ZeroDivisionError), UsageTracker.reserve(user, "video", key="task-1"):
            raise ZeroDivisionError

        assert videos(user) == 1

    def test_a_failing_repetition_does_not_take_back_what_is_still_held(self, user: Any) -> None:
        with UsageTracker.reserve(user, "video", key="task-1"):
            with pytest.raises(ZeroDivisionError), UsageTracker.reserve(user, "video", key="task-1"):
                raise ZeroDivisionError
            assert videos(user) == 1

        assert UsageReservation.objects.get().state == "committed"

    def test_a_block_that_fails_after_a_repetition_succeeded_keeps_its_own_error(self, user: Any) -> None:
        def work() -> None:
            with UsageTracker.reserve(user, "video", key="task-1"):
                UsageTracker.reserve(user, "video", key="task-1").commit()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            work()
        assert videos(user) == 1

    def test_at_the_limit_it_raises_and_signals(self, user: Any, caplog: pytest.LogCaptureFixture) -> None:
        heard: list[Any] = []
        quota_exceeded.connect(receiver := lambda **said: heard.append(said), sender=UsageTracker, weak=False)
        caplog.set_level(logging.INFO, "django_videoq_billing")
        try:
            with pytest.raises(QuotaExceeded, match=r"Video limit reached \(0/2\)") as refused:
                UsageTracker.reserve(user, "video", 3)
        finally:
            quota_exceeded.disconnect(receiver, sender=UsageTracker)

        assert refused.value.code == "limit_exceeded"
        assert [(said["user"], said["reservation"].amount) for said in heard] == [(user, 3)]
        assert [record.message for record in caplog.records] == ["quota_refused"]
        assert user.email not in caplog.text

    @pytest.mark.parametrize("amount", [0, -1, 10**9 + 1, True, 1.5, "2", None])
    def test_an_absurd_amount_is_refused(self, user: Any, amount: Any) -> None:
        with pytest.raises(InvalidRequest, match="whole number from 1 to 1000000000"):
            UsageTracker.reserve(user, "video", amount)
        assert videos(user) == 0

    @pytest.mark.parametrize("metric", ["videos", "", None, 1])
    def test_an_unknown_metric_is_refused(self, user: Any, metric: Any) -> None:
        with pytest.raises(InvalidRequest, match="use one of: video, transcription"):
            UsageTracker.reserve(user, metric)

    @pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00b", 7])
    def test_an_absurd_key_is_refused(self, user: Any, key: Any) -> None:
        with pytest.raises(InvalidRequest, match="Idempotency-Key"):
            UsageTracker.reserve(user, "video", 1, key)

    @pytest.mark.parametrize("actual", [-1, True, 0.5, 10**9 + 1])
    def test_an_absurd_settlement_is_refused(self, user: Any, actual: Any) -> None:
        hold = UsageTracker.reserve(user, "transcription", 10)

        with pytest.raises(InvalidRequest):
            hold.commit(actual)
        assert UsageReservation.objects.get().state == "held"


class TestAdvice:
    def test_it_says_yes_without_holding(self, user: Any) -> None:
        assert [UsageTracker.can_upload_video(user) for _ in range(5)] == [(True, "")] * 5
        assert not UsageReservation.objects.exists()

    def test_it_says_why_not(self, user: Any) -> None:
        UsageTracker.increment_video_count(user, 2)
        UsageTracker.increment_transcription_seconds(user, 540)

        assert UsageTracker.can_upload_video(user) == (
            False,
            "Video limit reached (2/2). Upgrade to upload more.",
        )
        assert UsageTracker.can_transcribe(user, 60) == (True, "")
        assert UsageTracker.can_transcribe(user, 61) == (
            False,
            "Transcription limit reached (9 of 10 minutes used, 1.1 more needed). "
            "Upgrade to transcribe more.",
        )

    def test_a_hold_of_a_dead_process_does_not_make_it_say_no(self, user: Any) -> None:
        UsageTracker.reserve(user, "video", 2)
        assert not UsageTracker.can_upload_video(user)[0]

        with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
            assert UsageTracker.can_upload_video(user) == (True, "")

    def test_it_always_agrees_with_reserve(self, user: Any) -> None:
        for _ in range(4):
            allowed, _reason = UsageTracker.can_upload_video(user)
            try:
                UsageTracker.reserve(user, "video").commit()
            except QuotaExceeded:
                assert not allowed
            else:
                assert allowed


class TestIncrements:
    def test_they_count_past_the_limit_and_show_overage(self, user: Any) -> None:
        UsageTracker.increment_video_count(user)
        UsageTracker.increment_video_count(user, 4)
        UsageTracker.increment_transcription_seconds(user, 700)

        report = UsageTracker.report(user)

        assert (report.counters.video_count, report.video_overage) == (5, 3)
        assert (report.transcription_overage_seconds, report.transcription_usage_percentage) == (100, 116.6)

    @pytest.mark.parametrize("amount", [0, -3, 10**9 + 1, 2.5])
    def test_an_absurd_amount_is_refused(self, user: Any, amount: Any) -> None:
        with pytest.raises(InvalidRequest):
            UsageTracker.increment_video_count(user, amount)
        with pytest.raises(InvalidRequest):
            UsageTracker.increment_transcription_seconds(user, amount)
        assert videos(user) == 0


class TestReports:
    def test_the_seeds_dictionary(self, user: Any) -> None:
        assert UsageTracker.get_usage(user) == {
            "video_count": 0,
            "transcription_seconds": 0,
            "updated_at": None,
        }
        UsageTracker.increment_video_count(user)
        assert UsageTracker.get_usage(user)["updated_at"] is not None

    def test_the_past_is_shown_with_the_limits_it_had(self, user: Any) -> None:
        UsageTracker.increment_video_count(user, 2)
        user.subscription.plan.video_limit = 50
        user.subscription.plan.save()

        assert past_reports(user, 12) == []
        with time_machine.travel(UsageTracker.report(user).period.end, tick=False):
            [past] = past_reports(user, 12)
            assert (past.counters.video_count, past.video_limit) == (2, 2)

    def test_messages_follow_the_language(self, user: Any) -> None:
        UsageTracker.increment_video_count(user, 2)

        with translation.override("ja"):
            _, reason = UsageTracker.can_upload_video(user)

        assert "2/2" in reason
