"""Transcriptions: seconds of audio are reserved by estimate and settled by what was really transcribed."""

from __future__ import annotations

import math
from contextlib import suppress
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, router, transaction
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services.entitlements import AnyUser
from django_videoq_billing.services.usage_tracker import UsageTracker, check_amount
from django_videoq_billing.usage import get_store

_CENTS = 100
MAX_SECONDS = 7 * 86400
"""The longest recording, a week: more is a mistake, and its cost would not fit its column."""


def billable_seconds(duration: object) -> int:
    """Return a media duration in whole seconds, begun seconds counted. Raises InvalidRequest for nonsense."""
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise InvalidRequest.bad_amount(duration, MAX_SECONDS)
    if not 0 < duration <= MAX_SECONDS:  # NaN is not, either
        raise InvalidRequest.bad_amount(duration, MAX_SECONDS)
    return math.ceil(duration)


def cost_cents(seconds: int) -> Decimal:
    """Return what the seconds cost the site, in cents, exact to a ten-thousandth."""
    return (seconds * get_settings().TRANSCRIPTION_COST_PER_SECOND * _CENTS).quantize(Decimal("0.0001"))


def start(
    user: AnyUser, video: models.Model, estimated_seconds: int, whisper_model: str = "whisper-1"
) -> TranscriptionJob:
    """Reserve the estimate and open a job for the video.

    Raises QuotaExceeded when the estimate does not fit, Conflict when the video has a live or completed
    job; nothing is counted then. An open job that is never settled loses its hold after
    RESERVATION_SECONDS, and is counted in full all the same when it is completed later.
    """
    check_amount(estimated_seconds, MAX_SECONDS)
    if video.pk is None:
        raise InvalidRequest.unsaved_video()
    with UsageTracker.reserve(user, "transcription", estimated_seconds) as hold:
        try:
            with transaction.atomic(using=_alias()):
                job = TranscriptionJob.objects.using(_alias()).create(
                    user_id=hold.reservation.user_id,
                    content_type=ContentType.objects.get_for_model(video),
                    object_id=str(video.pk),
                    reservation_id=hold.id,
                    estimated_seconds=estimated_seconds,
                    whisper_model=whisper_model,
                    status=TranscriptionJob.Status.PROCESSING,
                    started_at=timezone.now(),
                )
        except IntegrityError:
            raise Conflict.live_job() from None
        hold.keep()
    return job


def complete(job: TranscriptionJob, actual_seconds: int) -> TranscriptionJob:
    """Settle the job with the seconds that were transcribed; they may pass the estimate and the limit.

    Safe to call twice: the first figure stands. Raises Conflict for a failed or cancelled job.
    """
    if actual_seconds != 0:
        check_amount(actual_seconds, MAX_SECONDS)
    with transaction.atomic(using=_alias()):
        # The counter first and the job second: a view that has reserved already holds locks in that order.
        job = _fetched(job)
        if job.is_live and job.reservation_id is not None:
            get_store().commit(job.reservation_id, actual_seconds)
        job = _locked(job)
        if job.status == TranscriptionJob.Status.COMPLETED:
            return job
        _check_live(job)
        job.duration_seconds = actual_seconds
        job.cost_cents = cost_cents(actual_seconds)
        return _finish(job, TranscriptionJob.Status.COMPLETED)


def fail(job: TranscriptionJob, message: str) -> TranscriptionJob:
    """Give the estimate back; the video may be tried again. Safe to call twice.

    Raises Conflict for a completed or cancelled job.
    """
    return _abandon(job, TranscriptionJob.Status.FAILED, message)


def cancel(job: TranscriptionJob) -> TranscriptionJob:
    """Give the estimate back because nobody wants the result. Safe to call twice.

    Raises Conflict for a completed or failed job.
    """
    return _abandon(job, TranscriptionJob.Status.CANCELLED, "")


def _abandon(job: TranscriptionJob, status: TranscriptionJob.Status, message: str) -> TranscriptionJob:
    with transaction.atomic(using=_alias()):
        job = _fetched(job)
        if job.is_live and job.reservation_id is not None:
            with suppress(InvalidRequest):  # the hold is gone with its record, and so is what it held
                get_store().release(job.reservation_id)
        job = _locked(job)
        if job.status == status:
            return job
        _check_live(job)
        job.error_message = message
        return _finish(job, status)


def _alias() -> str:
    return router.db_for_write(TranscriptionJob)


def _fetched(job: TranscriptionJob) -> TranscriptionJob:
    return TranscriptionJob.objects.using(_alias()).get(pk=job.pk)


def _locked(job: TranscriptionJob) -> TranscriptionJob:
    return TranscriptionJob.objects.using(_alias()).select_for_update().get(pk=job.pk)


def _check_live(job: TranscriptionJob) -> None:
    if not job.is_live:
        raise Conflict.job_state(job.get_status_display())


def _finish(job: TranscriptionJob, status: TranscriptionJob.Status) -> TranscriptionJob:
    job.status = status
    job.completed_at = timezone.now()
    job.save(
        update_fields=[
            "status",
            "duration_seconds",
            "cost_cents",
            "error_message",
            "completed_at",
            "updated_at",
        ]
    )
    return job
