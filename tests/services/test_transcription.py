from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import override_settings
from django.utils import timezone

from django_videoq_billing.exceptions import AccountInactive, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.models import TranscriptionJob, UsageRecord, UsageReservation
from django_videoq_billing.services import transcription
from django_videoq_billing.services.usage_tracker import UsageTracker, release_expired
from tests.factories import make_plan, make_user, subscribed

pytestmark = pytest.mark.django_db

LIMIT = 600


@pytest.fixture
def user(db: None) -> User:
    """On a plan of 10 minutes."""
    return subscribed(make_plan(transcription_limit_minutes=LIMIT // 60))


@pytest.fixture
def video(db: None) -> Group:
    """Any row of the host's: the package does not know its videos."""
    return Group.objects.create(name="a video")


def used(user: User) -> int:
    return UsageTracker.get_usage(user)["transcription_seconds"]


def hold_of(job: TranscriptionJob) -> UsageReservation:
    assert job.reservation_id is not None
    return UsageReservation.objects.get(pk=job.reservation_id)


def other_video() -> Group:
    return Group.objects.create(name=f"video {Group.objects.count()}")


def test_start_counts_the_estimate_and_opens_the_job(user: User, video: Group) -> None:
    job = transcription.start(user, video, 120, whisper_model="large")
    assert used(user) == 120
    assert (job.user, job.video, job.status, job.whisper_model) == (user, video, "processing", "large")
    assert (job.estimated_seconds, job.duration_seconds, job.cost_cents) == (120, 0, Decimal(0))
    assert job.started_at is not None
    assert hold_of(job).state == "held"


@pytest.mark.parametrize(("estimate", "actual"), [(120, 120), (120, 90), (120, 150), (120, 1), (120, 0)])
def test_complete_settles_what_was_transcribed(user: User, video: Group, estimate: int, actual: int) -> None:
    job = transcription.complete(transcription.start(user, video, estimate), actual)
    assert used(user) == actual
    assert (job.status, job.duration_seconds) == ("completed", actual)
    assert job.completed_at is not None
    stored = TranscriptionJob.objects.get()
    assert (stored.status, stored.duration_seconds) == ("completed", actual)


def test_complete_twice_keeps_the_first_figure(user: User, video: Group) -> None:
    job = transcription.start(user, video, 120)
    transcription.complete(job, 100)
    again = transcription.complete(job, 999)
    assert (again.duration_seconds, again.cost_cents, used(user)) == (100, Decimal(1), 100)


def test_a_finished_transcription_may_pass_the_limit_and_the_next_is_refused(
    user: User, video: Group
) -> None:
    transcription.complete(transcription.start(user, video, LIMIT), LIMIT + 50)
    assert UsageTracker.report(user).transcription_overage_seconds == 50
    with pytest.raises(QuotaExceeded):
        transcription.start(user, other_video(), 1)
    assert used(user) == LIMIT + 50


def test_a_refused_start_counts_nothing_and_leaves_no_job(user: User, video: Group) -> None:
    with pytest.raises(QuotaExceeded) as caught:
        transcription.start(user, video, LIMIT + 1)
    assert caught.value.reservation.limit == LIMIT
    assert (used(user), TranscriptionJob.objects.count(), UsageReservation.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("amount", [0, -1, True, 1.5, "60", None, 10**9 + 1])
def test_nonsense_estimates_and_durations_are_refused(user: User, video: Group, amount: Any) -> None:
    with pytest.raises(InvalidRequest):
        transcription.start(user, video, amount)
    job = transcription.start(user, video, 60)
    if amount != 0:
        with pytest.raises(InvalidRequest):
            transcription.complete(job, amount)
    assert used(user) == 60
    job.refresh_from_db()
    assert job.status == "processing"


def test_an_inactive_user_is_refused(video: Group) -> None:
    with pytest.raises(AccountInactive):
        transcription.start(make_user(is_active=False), video, 1)
    assert not TranscriptionJob.objects.exists()


@pytest.mark.parametrize("finished", [False, True])
def test_a_second_job_for_the_video_is_refused_and_gives_its_reservation_back(
    user: User, video: Group, finished: bool
) -> None:
    job = transcription.start(user, video, 100)
    if finished:
        transcription.complete(job, 100)
    with pytest.raises(Conflict, match="already being transcribed, or has been"):
        transcription.start(user, video, 50)
    assert (used(user), TranscriptionJob.objects.count()) == (100, 1)
    assert list(UsageReservation.objects.held().values_list("amount", flat=True)) == (
        [] if finished else [100]
    )


def test_rows_of_other_kinds_with_the_same_id_are_other_videos(user: User, video: Group) -> None:
    transcription.start(user, video, 10)
    transcription.start(user, make_plan(pk=video.pk + 10_000), 10)
    transcription.start(user, other_video(), 10)
    assert used(user) == 30


@pytest.mark.parametrize(
    ("abandon", "status", "message"),
    [
        (lambda job: transcription.fail(job, "no speech"), "failed", "no speech"),
        (transcription.cancel, "cancelled", ""),
    ],
)
def test_fail_and_cancel_give_the_estimate_back_once(
    user: User,
    video: Group,
    abandon: Callable[[TranscriptionJob], TranscriptionJob],
    status: str,
    message: str,
) -> None:
    transcription.start(user, other_video(), 7)
    job = transcription.start(user, video, 100)
    for _ in range(2):
        abandon(job)
        assert used(user) == 7
    job.refresh_from_db()
    assert (job.status, job.error_message, job.duration_seconds, job.cost_cents) == (
        status,
        message,
        0,
        Decimal(0),
    )
    assert job.completed_at is not None
    assert transcription.start(user, video, 100).pk != job.pk  # it may be tried again


FINISH: dict[str, Callable[[TranscriptionJob], TranscriptionJob]] = {
    "completed": lambda job: transcription.complete(job, 10),
    "failed": lambda job: transcription.fail(job, "no speech"),
    "cancelled": transcription.cancel,
}


@pytest.mark.parametrize("second", FINISH)
@pytest.mark.parametrize("first", FINISH)
def test_a_job_ends_once(user: User, video: Group, first: str, second: str) -> None:
    job = FINISH[first](transcription.start(user, video, 100))
    before = used(user)
    if first == second:
        FINISH[second](job)
    else:
        with pytest.raises(Conflict, match=f"already {first}"):
            FINISH[second](job)
    job.refresh_from_db()
    assert (job.status, used(user)) == (first, before)


def test_a_hold_that_expired_meanwhile_is_counted_again(user: User, video: Group) -> None:
    job = transcription.start(user, video, 100)
    with time_machine.travel(timezone.now() + timedelta(seconds=3601), tick=False):
        assert release_expired(timezone.now()) == 1
        assert used(user) == 0
        transcription.complete(job, 80)
        assert used(user) == 80
        transcription.complete(job, 80)
        assert used(user) == 80


def test_an_expired_hold_that_fails_gives_nothing_back_twice(user: User, video: Group) -> None:
    transcription.start(user, other_video(), 7)
    job = transcription.start(user, video, 100)
    UsageReservation.objects.filter(pk=hold_of(job).pk).update(expires_at=timezone.now())
    release_expired(timezone.now())
    transcription.fail(job, "the worker died")
    assert used(user) == 7


def test_a_job_that_ends_in_the_next_period_counts_where_it_began(user: User, video: Group) -> None:
    job = transcription.start(user, video, 100)
    record = hold_of(job).record
    with time_machine.travel(record.billing_period_end + timedelta(days=1), tick=False):
        transcription.complete(job, 90)
        assert used(user) == 0
    record.refresh_from_db()
    assert record.transcription_seconds == 90


@pytest.mark.parametrize("finish", [FINISH["completed"], FINISH["cancelled"]])
def test_a_job_without_a_hold_of_ours_may_still_be_finished(
    user: User, video: Group, finish: Callable[[TranscriptionJob], TranscriptionJob]
) -> None:
    job = transcription.start(user, video, 100)
    TranscriptionJob.objects.update(reservation_id=None)
    assert finish(job).status in ("completed", "cancelled")
    assert used(user) == 100


@pytest.mark.parametrize(
    ("seconds", "cents"),
    [(0, "0"), (1, "0.0100"), (3, "0.0300"), (60, "0.6000"), (3600, "36.0000"), (10**9, "10000000.0000")],
)
def test_the_cost_is_exact(seconds: int, cents: str) -> None:
    assert transcription.cost_cents(seconds) == Decimal(cents)


@override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "0.0000333"})
def test_the_cost_is_exact_to_a_ten_thousandth_of_a_cent(user: User, video: Group) -> None:
    transcription.complete(transcription.start(user, video, 7), 7)
    assert TranscriptionJob.objects.get().cost_cents == Decimal("0.0233")


@override_settings(VIDEOQ_BILLING={"TRANSCRIPTION_COST_PER_SECOND": "1"})
def test_no_admitted_duration_is_too_dear_to_store(video: Group) -> None:
    user = subscribed(make_plan(transcription_limit_minutes=None))
    week = transcription.MAX_SECONDS
    transcription.complete(transcription.start(user, video, week), week)
    assert TranscriptionJob.objects.get().cost_cents == week * 100


@pytest.mark.parametrize(
    ("duration", "seconds"), [(0.001, 1), (1, 1), (1.0, 1), (59.2, 60), (604_800, 604_800)]
)
def test_begun_seconds_are_counted(duration: float, seconds: int) -> None:
    assert transcription.billable_seconds(duration) == seconds


def test_a_video_that_is_not_saved_is_refused(user: User) -> None:
    with pytest.raises(InvalidRequest, match="Save the video"):
        transcription.start(user, Group(name="unsaved"), 10)
    assert not TranscriptionJob.objects.exists()


def test_a_job_whose_usage_record_is_gone_can_be_ended(user: User, video: Group) -> None:
    job = transcription.start(user, video, 10)
    UsageRecord.objects.all().delete()

    assert transcription.fail(job, "worker lost").status == "failed"
    assert transcription.start(user, video, 10).is_live


@pytest.mark.parametrize(
    "duration", ["12", None, [1], True, 10**400, 0, -1, float("nan"), float("inf"), float("-inf"), 604_800.5]
)
def test_a_duration_that_makes_no_sense_is_refused(duration: float) -> None:
    with pytest.raises(InvalidRequest):
        transcription.billable_seconds(duration)
