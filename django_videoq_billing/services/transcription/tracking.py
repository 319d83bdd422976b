"""A transcription as a `with` block, for views and for tasks that may be repeated."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, models

from django_videoq_billing.exceptions import BillingError, Conflict, InvalidRequest
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services.entitlements import AnyUser
from django_videoq_billing.services.transcription import jobs

logger = logging.getLogger("django_videoq_billing")


class TrackedTranscription:
    """The job of a `with track_transcription(...)` block; `job` is the row as it was last seen."""

    job: TranscriptionJob

    def __init__(self, job: TranscriptionJob) -> None:
        self.job = job

    def complete(self, actual_seconds: int) -> None:
        """Settle with the seconds that were transcribed. Safe to call twice: the first figure stands.

        Raises Conflict when the job was cancelled or failed meanwhile, InvalidRequest when it is gone with
        its user: the result is not counted then, so do not deliver it.
        """
        self.job = jobs.complete(self.job, actual_seconds)

    def fail(self, message: str) -> None:
        """Give the estimate back, and say why in your own words."""
        self.job = jobs.fail(self.job, message)

    def _settle(self) -> None:
        if not self.job.is_live:
            return
        try:
            self.complete(self.job.estimated_seconds)
        except (Conflict, InvalidRequest):  # it was ended elsewhere, or is gone with its user
            logger.info("transcription_ended_elsewhere", extra={"job": self.job.pk})

    def _give_up(self, error: BaseException) -> None:
        """Whatever happens here, the block's own error is what goes on."""
        # The text of a stranger's error may hold an address with a key in it; it is in the log anyway.
        message = error.message if isinstance(error, BillingError) else type(error).__name__
        try:
            self.fail(message)
        except (Conflict, InvalidRequest):
            logger.info("transcription_ended_elsewhere", extra={"job": self.job.pk})
        except Error:  # a transaction around the block is doomed, or the database is away
            logger.exception("transcription_not_given_back", extra={"job": self.job.pk})


@contextmanager
def track_transcription(
    user: AnyUser,
    video: models.Model,
    estimated_seconds: int,
    whisper_model: str = jobs.DEFAULT_MODEL,
    *,
    key: str = "",
) -> Iterator[TrackedTranscription]:
    """Reserve the estimate, open a job, run the block, and settle.

    `complete` settles with the actual seconds; a block that ends without it settles the estimate, and one
    that raises fails the job and gives the estimate back. Raises what `start` raises, before the block.

    In a task that may be repeated pass its id as `key`. After an error the repetition opens a new job; where
    the worker was killed in the block, it goes on with the job that is still open.
    """
    with _tracked(jobs.start(user, video, estimated_seconds, whisper_model, key=key)) as tracked:
        yield tracked


@contextmanager
def track_job(job: TranscriptionJob) -> Iterator[TrackedTranscription]:
    """Like `track_transcription`, for a job that was opened before: by the view that asked for it, say.

    Goes on with the newest attempt at its video, so that a repeated task may come back with the first job:
    where that attempt has failed, a new one is opened. Raises Conflict when it was completed or cancelled.
    """
    newest = jobs.newest_attempt(job)
    if newest.status == TranscriptionJob.Status.FAILED:
        newest = jobs.retry(newest)
    jobs.check_live(newest)
    with _tracked(newest) as tracked:
        yield tracked


@contextmanager
def _tracked(job: TranscriptionJob) -> Iterator[TrackedTranscription]:
    tracked = TrackedTranscription(job)
    try:
        yield tracked
    except BaseException as error:
        tracked._give_up(error)
        raise
    tracked._settle()
