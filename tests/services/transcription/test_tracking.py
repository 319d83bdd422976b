"""A transcription as a `with` block: however the block ends, the job has ended, too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from django_videoq_billing.exceptions import BillingError, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services import transcription
from django_videoq_billing.services.transcription import (
    TrackedTranscription,
    track_job,
    track_transcription,
)
from tests.services.transcription.rows import LIMIT, expire_all, used

pytestmark = pytest.mark.django_db

Opening = Callable[[User, Group], AbstractContextManager[TrackedTranscription]]
OPENINGS: dict[str, Opening] = {
    "track_transcription": lambda user, video: track_transcription(user, video, 100, key="task 1"),
    "track_job": lambda user, video: track_job(transcription.start(user, video, 100)),
}


@pytest.fixture(params=OPENINGS)
def opening(request: pytest.FixtureRequest) -> Opening:
    return OPENINGS[request.param]


def only_job() -> TranscriptionJob:
    return TranscriptionJob.objects.get()


def run(
    context: AbstractContextManager[TrackedTranscription], *steps: Callable[[TrackedTranscription], object]
) -> None:
    with context as tracked:
        for step in steps:
            step(tracked)


def cancel(tracked: TrackedTranscription) -> None:
    transcription.cancel(tracked.job)


def complete(tracked: TrackedTranscription) -> None:
    tracked.complete(80)


def break_down(tracked: TrackedTranscription) -> None:
    raise ValueError("broken")


class Interrupted(BaseException):
    """Such as SystemExit, or what a task queue raises to stop a task."""


def test_the_actual_seconds_are_settled(user: User, video: Group, opening: Opening) -> None:
    with opening(user, video) as tracked:
        assert (tracked.job.is_live, used(user)) == (True, 100)
        tracked.complete(80)
        tracked.complete(999)
        assert tracked.job.duration_seconds == 80
    assert (only_job().status, only_job().duration_seconds, used(user)) == ("completed", 80, 80)


@pytest.mark.parametrize("seconds", [0, LIMIT + 5])
def test_the_actual_seconds_may_be_anything(user: User, video: Group, seconds: int) -> None:
    with track_transcription(user, video, 100) as tracked:
        tracked.complete(seconds)
    assert (only_job().status, used(user)) == ("completed", seconds)


def test_the_estimate_is_settled_where_nothing_is_said(user: User, video: Group, opening: Opening) -> None:
    with opening(user, video):
        pass
    assert (only_job().status, only_job().duration_seconds, used(user)) == ("completed", 100, 100)
    assert expire_all() == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("https://api.example/?key=secret"), "ValueError"),
        (Interrupted(), "Interrupted"),
        (StopIteration(), "StopIteration"),
        (BillingError("The plan is over."), "The plan is over."),
    ],
)
def test_an_error_fails_the_job_gives_back_and_goes_on(
    user: User, video: Group, opening: Opening, error: BaseException, message: str
) -> None:
    with pytest.raises(type(error)) as caught, opening(user, video):
        raise error
    assert caught.value is error
    assert (only_job().status, only_job().error_message, used(user)) == ("failed", message, 0)


def test_an_error_after_the_result_leaves_it_counted(user: User, video: Group, opening: Opening) -> None:
    with pytest.raises(ValueError, match="broken"):
        run(opening(user, video), complete, break_down)
    assert (only_job().status, used(user)) == ("completed", 80)


def test_a_failure_in_your_own_words(user: User, video: Group, opening: Opening) -> None:
    with opening(user, video) as tracked:
        tracked.fail("There is no speech in it.")
    assert (only_job().status, only_job().error_message) == ("failed", "There is no speech in it.")
    assert used(user) == 0


def test_what_does_not_fit_does_not_run(user: User, video: Group) -> None:
    with pytest.raises(QuotaExceeded), track_transcription(user, video, LIMIT + 1):
        pytest.fail("the block ran")
    assert not TranscriptionJob.objects.exists()


@pytest.mark.parametrize("nonsense", [-1, 1.5, True, 10**9])
def test_a_nonsense_figure_is_an_error_of_the_block(user: User, video: Group, nonsense: int) -> None:
    with pytest.raises(InvalidRequest), track_transcription(user, video, 100) as tracked:
        tracked.complete(nonsense)
    assert (only_job().status, used(user)) == ("failed", 0)


class TestEndedElsewhere:
    def test_a_cancelled_job_gives_its_result_up(self, user: User, video: Group, opening: Opening) -> None:
        with pytest.raises(Conflict, match="already cancelled"):
            run(opening(user, video), cancel, complete)
        assert (only_job().status, used(user)) == ("cancelled", 0)

    def test_a_cancelled_job_s_block_may_simply_end(self, user: User, video: Group, opening: Opening) -> None:
        run(opening(user, video), cancel)
        assert (only_job().status, used(user)) == ("cancelled", 0)

    def test_the_block_s_own_error_is_the_one_that_counts(
        self, user: User, video: Group, opening: Opening
    ) -> None:
        with pytest.raises(ValueError, match="broken"):
            run(opening(user, video), cancel, break_down)
        assert (only_job().status, used(user)) == ("cancelled", 0)

    def test_a_deleted_user(self, user: User, video: Group, opening: Opening) -> None:
        with opening(user, video):
            User.objects.get(pk=user.pk).delete()
        assert not TranscriptionJob.objects.exists()

    def test_the_result_of_a_deleted_user_is_refused(
        self, user: User, video: Group, opening: Opening
    ) -> None:
        with pytest.raises(InvalidRequest, match="its user is deleted"):
            run(opening(user, video), lambda _: User.objects.get(pk=user.pk).delete(), complete)

    def test_a_deleted_video(self, user: User, video: Group, opening: Opening) -> None:
        with opening(user, video):
            video.delete()
        assert (only_job().status, used(user)) == ("completed", 100)


class TestATaskThatIsRepeated:
    """As Celery does: the same function with the same arguments, after an error or after a worker's death."""

    @pytest.fixture(params=["by the task", "by the view"])
    def open_again(self, request: pytest.FixtureRequest, user: User, video: Group) -> Opening:
        if request.param == "by the task":
            return OPENINGS["track_transcription"]
        job = transcription.start(user, video, 100)
        return lambda user, video: track_job(job)

    def statuses(self) -> list[str]:
        jobs = TranscriptionJob.objects.order_by("created_at", "pk")
        return list(jobs.values_list("status", flat=True))

    def test_each_try_is_a_job_and_only_the_last_counts(
        self, user: User, video: Group, open_again: Opening
    ) -> None:
        for fails in (True, True, False):
            try:
                with open_again(user, video) as tracked:
                    assert used(user) == 100
                    if fails:
                        raise ConnectionError
                    tracked.complete(90)
            except ConnectionError:
                assert used(user) == 0, "nothing is held while the task waits for its next try"
        assert self.statuses() == ["failed", "failed", "completed"]
        assert used(user) == 90

    @pytest.mark.parametrize("overdue", [False, True])
    @pytest.mark.parametrize("tries_before", [0, 1])
    def test_after_a_worker_s_death_the_job_goes_on(
        self, user: User, video: Group, open_again: Opening, overdue: bool, tries_before: int
    ) -> None:
        for _ in range(tries_before):
            with pytest.raises(ConnectionError), open_again(user, video):
                raise ConnectionError
        killed = open_again(user, video)
        job = killed.__enter__().job
        if overdue:
            expire_all()
        with open_again(user, video) as tracked:
            assert tracked.job == job
            tracked.complete(90)
        assert self.statuses() == [*["failed"] * tries_before, "completed"]
        assert used(user) == 90
        killed.__exit__(None, None, None)  # it was only slow: it changes nothing
        assert (self.statuses()[-1], used(user)) == ("completed", 90)

    @pytest.mark.parametrize(("end", "status"), [(complete, "completed"), (cancel, "cancelled")])
    def test_what_is_over_does_not_run_again(
        self,
        user: User,
        video: Group,
        open_again: Opening,
        end: Callable[[TrackedTranscription], None],
        status: str,
    ) -> None:
        run(open_again(user, video), end)
        before = used(user)
        with pytest.raises(Conflict, match=f"already {status}"), open_again(user, video):
            pytest.fail("the block ran")
        assert (self.statuses(), used(user)) == ([status], before)


def test_a_job_that_is_gone_cannot_be_tracked(user: User, video: Group) -> None:
    job = transcription.start(user, video, 100)
    TranscriptionJob.objects.all().delete()
    with pytest.raises(InvalidRequest, match="no such transcription job"), track_job(job):
        pytest.fail("the block ran")


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_that_is_doomed_the_block_s_own_error_goes_on(
    user: User, video: Group, caplog: pytest.LogCaptureFixture
) -> None:
    def same_name_twice(tracked: TrackedTranscription) -> None:
        Group.objects.create(name=video.name)

    with pytest.raises(IntegrityError), transaction.atomic():
        run(track_transcription(user, video, 100), same_name_twice)
    assert "transcription_not_given_back" in caplog.text
    assert not TranscriptionJob.objects.exists(), "it was rolled back"
    expire_all()
    assert used(user) == 0
