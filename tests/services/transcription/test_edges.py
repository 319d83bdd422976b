"""Each decision about a job that does not go as planned; docs/usage.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group, User

from django_videoq_billing.exceptions import AccountInactive, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services import transcription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.usage import get_store
from tests.services.transcription.rows import LIMIT, expire_all, long_after, other_video, used

pytestmark = pytest.mark.django_db

Move = Callable[[TranscriptionJob], TranscriptionJob]


def attempts(video: Group) -> list[str]:
    return list(TranscriptionJob.objects.filter(object_id=str(video.pk)).values_list("status", flat=True))


def test_a_video_that_turns_out_longer_counts_in_full(user: User, video: Group) -> None:
    job = transcription.complete(transcription.start(user, video, 60), LIMIT + 1)
    assert (job.estimated_seconds, job.duration_seconds, used(user)) == (60, LIMIT + 1, LIMIT + 1)
    assert UsageTracker.report(user).transcription_overage_seconds == 1
    with pytest.raises(QuotaExceeded):
        transcription.start(user, other_video(), 1)


def test_silence_costs_nothing_and_is_done(user: User, video: Group) -> None:
    job = transcription.complete(transcription.start(user, video, 60), 0)
    assert (job.status, job.duration_seconds, used(user)) == ("completed", 0, 0)
    assert job.cost_cents == 0
    with pytest.raises(Conflict):
        transcription.start(user, video, 60)


def test_a_video_that_is_deleted_while_it_is_transcribed_counts(user: User, video: Group) -> None:
    job = transcription.start(user, video, 60)
    video.delete()
    assert transcription.complete(job, 50).duration_seconds == 50
    assert used(user) == 50


@pytest.mark.parametrize("finish", [transcription.cancel, lambda job: transcription.fail(job, "gone")])
def test_a_deleted_video_is_not_tried_again(user: User, video: Group, finish: Move) -> None:
    job = finish(transcription.start(user, video, 60))
    video.delete()
    with pytest.raises(InvalidRequest, match="video no longer exists"):
        transcription.retry(job)
    assert used(user) == 0


def test_a_video_whose_model_the_host_has_removed_is_not_tried_again(user: User, video: Group) -> None:
    job = transcription.cancel(transcription.start(user, video, 60))
    kind = type(job.content_type).objects.create(app_label="gone", model="film")
    TranscriptionJob.objects.update(content_type=kind)
    with pytest.raises(InvalidRequest, match="video no longer exists"):
        transcription.retry(job)


class TestAKilledWorker:
    def test_is_given_back_and_a_late_completion_counts_once(self, user: User, video: Group) -> None:
        job = transcription.start(user, video, 100)
        assert expire_all() == 1
        assert used(user) == 0
        for _ in range(2):
            transcription.complete(job, 80)
            assert used(user) == 80

    def test_gives_nothing_back_twice(self, user: User, video: Group) -> None:
        job = transcription.start(user, video, 100)
        expire_all()
        transcription.start(user, other_video(), 7)
        transcription.fail(job, "the worker died")
        assert used(user) == 7

    def test_leaves_room_for_others_when_its_hold_is_overdue(self, user: User, video: Group) -> None:
        transcription.start(user, video, LIMIT)
        with pytest.raises(QuotaExceeded):
            transcription.start(user, other_video(), 1)
        with long_after():
            assert transcription.start(user, other_video(), LIMIT).is_live


def test_a_job_that_ends_in_the_next_period_counts_where_it_was_reserved(user: User, video: Group) -> None:
    before = entitlement_for(user)
    job = transcription.start(user, video, 100)
    with time_machine.travel(before.period.end + timedelta(days=1), tick=False):
        transcription.complete(job, 90)
        assert used(user) == 0
        assert transcription.start(user, other_video(), LIMIT).is_live
    assert get_store().get(before).transcription_seconds == 90


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", ["unknown to the store", "given back by hand"])
@pytest.mark.parametrize("seconds", [0, 80])
def test_a_job_whose_hold_is_lost_counts_what_ran_once(
    user: User, video: Group, lost: str, seconds: int
) -> None:
    job = transcription.start(user, video, 100)
    assert job.reservation_id
    get_store().release(job.reservation_id)
    if lost == "unknown to the store":  # the site has changed to another store, say
        TranscriptionJob.objects.update(reservation_id=uuid4())
    for _ in range(2):
        assert transcription.complete(job, seconds).duration_seconds == seconds
        assert used(user) == seconds


@pytest.mark.django_db(transaction=True)
def test_a_switched_off_account_may_finish_what_runs(user: User, video: Group) -> None:
    job, lost = transcription.start(user, video, 60), transcription.start(user, other_video(), 60)
    TranscriptionJob.objects.filter(pk=lost.pk).update(reservation_id=uuid4())
    User.objects.update(is_active=False)
    assert transcription.complete(job, 50).status == "completed"
    assert transcription.complete(lost, 50).status == "completed"


@pytest.mark.parametrize(
    "move",
    [
        lambda job: transcription.complete(job, 10),
        lambda job: transcription.fail(job, "x"),
        transcription.cancel,
        transcription.retry,
    ],
)
def test_a_user_who_is_deleted_takes_the_job_along(user: User, video: Group, move: Move) -> None:
    job = transcription.start(user, video, 60)
    User.objects.get(pk=user.pk).delete()
    with pytest.raises(InvalidRequest, match="goes when its user is deleted"):
        move(job)
    assert not TranscriptionJob.objects.exists()


class TestRetry:
    @pytest.mark.parametrize("end", [transcription.cancel, lambda job: transcription.fail(job, "no speech")])
    def test_is_a_new_job_and_the_old_one_stays(self, user: User, video: Group, end: Move) -> None:
        old = end(transcription.start(user, video, 100, whisper_model="large"))
        new = transcription.retry(old)
        assert (new.user, new.video, new.whisper_model, new.estimated_seconds) == (user, video, "large", 100)
        assert attempts(video) == ["processing", old.status]
        assert used(user) == 100
        transcription.complete(new, 90)
        assert used(user) == 90

    def test_with_another_estimate(self, user: User, video: Group) -> None:
        old = transcription.cancel(transcription.start(user, video, 100))
        assert transcription.retry(old, 30).estimated_seconds == 30
        assert used(user) == 30

    def test_reserves_anew_and_may_be_refused(self, user: User, video: Group) -> None:
        old = transcription.cancel(transcription.start(user, video, 100))
        transcription.start(user, other_video(), LIMIT - 50)
        with pytest.raises(QuotaExceeded):
            transcription.retry(old)
        assert (attempts(video), used(user)) == (["cancelled"], LIMIT - 50)

    @pytest.mark.parametrize("estimate", [0, -1, 1.5])
    def test_nonsense(self, user: User, video: Group, estimate: int) -> None:
        old = transcription.cancel(transcription.start(user, video, 100))
        with pytest.raises(InvalidRequest):
            transcription.retry(old, estimate)

    def test_not_while_it_runs_nor_when_it_is_done(self, user: User, video: Group) -> None:
        job = transcription.start(user, video, 100)
        with pytest.raises(Conflict, match="already processing"):
            transcription.retry(job)
        transcription.complete(job, 90)
        with pytest.raises(Conflict, match="already completed"):
            transcription.retry(job)  # what the caller holds is old; the row decides
        assert used(user) == 90

    def test_an_old_attempt_does_not_get_past_a_newer_one(self, user: User, video: Group) -> None:
        first = transcription.fail(transcription.start(user, video, 100), "no speech")
        second = transcription.retry(first)
        for _ in range(2):
            with pytest.raises(Conflict, match="already being transcribed, or has been"):
                transcription.retry(first)
            transcription.complete(second, 100)
        assert used(user) == 100

    def test_not_for_a_switched_off_account(self, user: User, video: Group) -> None:
        old = transcription.cancel(transcription.start(user, video, 100))
        User.objects.update(is_active=False)
        with pytest.raises(AccountInactive):
            transcription.retry(old)


class TestAKey:
    def test_leads_to_the_job_that_is_still_open(self, user: User, video: Group) -> None:
        first = transcription.start(user, video, 100, key="task 1")
        again = transcription.start(user, video, 70, key="task 1")
        assert (again, again.estimated_seconds, used(user)) == (first, 100, 100)
        with pytest.raises(Conflict):
            transcription.start(user, video, 100, key="task 2")
        with pytest.raises(Conflict):
            transcription.start(user, video, 100)
        assert transcription.start(user, other_video(), 10, key="task 1") != first

    def test_also_when_its_hold_has_expired(self, user: User, video: Group) -> None:
        first = transcription.start(user, video, 100, key="task 1")
        expire_all()
        assert transcription.start(user, video, 100, key="task 1") == first
        transcription.complete(first, 100)
        assert used(user) == 100

    def test_is_free_again_after_a_failure_but_not_after_success(self, user: User, video: Group) -> None:
        first = transcription.fail(transcription.start(user, video, 100, key="task 1"), "no speech")
        second = transcription.start(user, video, 100, key="task 1")
        assert second != first
        transcription.complete(second, 100)
        with pytest.raises(Conflict):
            transcription.start(user, video, 100, key="task 1")
        assert used(user) == 100

    def test_is_the_user_s_own(self, user: User, video: Group, django_user_model: type[User]) -> None:
        transcription.start(user, video, 100, key="task 1")
        stranger = django_user_model.objects.create(username="stranger")
        with pytest.raises(Conflict):
            transcription.start(stranger, video, 100, key="task 1")
        assert used(stranger) == 0

    @pytest.mark.parametrize("key", ["x" * 256, "a\n", 7])
    def test_nonsense(self, user: User, video: Group, key: str) -> None:
        with pytest.raises(InvalidRequest):
            transcription.start(user, video, 100, key=key)


def test_the_figure_of_a_worker_that_died_after_counting_stands(user: User, video: Group) -> None:
    job = transcription.start(user, video, 60)
    assert job.reservation_id is not None
    get_store().commit(job.reservation_id, 40)
    assert transcription.complete(job, 50).duration_seconds == 40
    assert used(user) == 40
