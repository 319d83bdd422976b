from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from django_videoq_billing.exceptions import AccountInactive, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.models import TranscriptionJob, UsageRecord
from django_videoq_billing.services import transcription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user
from tests.services.transcription.rows import LIMIT, other_video, used

pytestmark = pytest.mark.django_db


def test_start_counts_the_estimate_and_opens_the_job(user: User, video: Group) -> None:
    job = transcription.start(user, video, 120, whisper_model="large")
    assert used(user) == 120
    assert (job.user, job.video, job.status, job.whisper_model) == (user, video, "processing", "large")
    assert (job.estimated_seconds, job.duration_seconds, job.cost_cents) == (120, 0, Decimal(0))
    assert job.started_at is not None


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
    assert (used(user), TranscriptionJob.objects.count()) == (0, 0)


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


@pytest.mark.parametrize("finish", [FINISH["completed"], FINISH["cancelled"]])
def test_a_job_without_a_hold_of_ours_may_still_be_finished(
    user: User, video: Group, finish: Callable[[TranscriptionJob], TranscriptionJob]
) -> None:
    job = transcription.start(user, video, 100)
    TranscriptionJob.objects.update(reservation_id=None)
    assert finish(job).status in ("completed", "cancelled")
    assert used(user) == 100


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
