"""A job's life: opened with a reservation of the estimate, ended once, tried again as a new row."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from functools import partial

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, router, transaction
from django.utils import timezone

from django_videoq_billing.exceptions import AccountInactive, Conflict, InvalidRequest
from django_videoq_billing.models import TranscriptionJob, UserSubscription
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.services import counting, usage_alerts, usage_tracker
from django_videoq_billing.services.entitlements import AnyUser, ensure_subscription
from django_videoq_billing.services.transcription.costs import cost_cents, cost_per_second
from django_videoq_billing.services.usage_tracker import UsageTracker, check_amount, check_key
from django_videoq_billing.types import Metric, UserId
from django_videoq_billing.usage import get_store

logger = logging.getLogger("django_videoq_billing")

DEFAULT_MODEL = "whisper-1"
MAX_SECONDS = 7 * 86400
"""The longest recording, a week: more is a mistake, and its cost would not fit its column."""


def billable_seconds(duration: object) -> int:
    """Return a media duration in whole seconds, begun seconds counted. Raises InvalidRequest for nonsense."""
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise InvalidRequest.bad_amount(duration, MAX_SECONDS)
    if not 0 < duration <= MAX_SECONDS:  # NaN is not, either
        raise InvalidRequest.bad_amount(duration, MAX_SECONDS)
    return math.ceil(duration)


def _alias() -> str:
    return router.db_for_write(TranscriptionJob)


@again_after_deadlock(_alias)
def start(
    user: AnyUser,
    video: models.Model,
    estimated_seconds: int,
    whisper_model: str = DEFAULT_MODEL,
    *,
    key: str = "",
) -> TranscriptionJob:
    """Reserve the estimate and open a job for the video.

    Raises QuotaExceeded when the estimate does not fit, Conflict when the video has a live or completed
    job; nothing is counted then. With a `key`, such as the id of a task, the live job that was started with
    it for the same user and video is returned again; one that was cancelled raises Conflict, one that failed
    makes room for a new job. An open job that is never settled loses its hold after RESERVATION_SECONDS, and
    is counted in full all the same when it is completed later.
    """
    check_amount(estimated_seconds, MAX_SECONDS)
    check_key(key or None)
    if video.pk is None:
        raise InvalidRequest.unsaved_video()
    if not key:
        return _open(user, video, estimated_seconds, whisper_model, key)
    with transaction.atomic(using=_alias()):
        _wait_for_the_same_task(user)
        return _known(user, video, key) or _open(user, video, estimated_seconds, whisper_model, key)


def retry(job: TranscriptionJob, estimated_seconds: int | None = None, *, key: str = "") -> TranscriptionJob:
    """Try the video of a failed or cancelled job again; the estimate is the job's unless another is given.

    It is a new job at the rate of now, linked by the video; the old one stays as history. Raises what
    `start` raises, Conflict for a live or completed job, and InvalidRequest when the video is gone.
    """
    job = _fetched(job)
    if job.is_live or job.status == TranscriptionJob.Status.COMPLETED:
        raise Conflict.job_state(job.get_status_display())
    estimate = job.estimated_seconds if estimated_seconds is None else estimated_seconds
    return start(job.user, _video_of(job), estimate, job.whisper_model, key=key)


@again_after_deadlock(_alias)
def complete(job: TranscriptionJob, actual_seconds: int) -> TranscriptionJob:
    """Settle the job with the seconds that were transcribed; they may pass the estimate and the limit.

    Safe to call twice: the first figure stands. Raises Conflict for a failed or cancelled job,
    InvalidRequest for one that is gone with its user.
    """
    if actual_seconds != 0:
        check_amount(actual_seconds, MAX_SECONDS)
    with transaction.atomic(using=_alias()):
        # The counter first and the job second: a view that has reserved already holds locks in that order.
        job = _fetched(job)
        counted = True
        if job.is_live:
            counted, actual_seconds = _settle_hold(job, actual_seconds)
        job = _locked(job)
        if job.status == TranscriptionJob.Status.COMPLETED:
            return job
        check_live(job)
        if not counted:
            # Later, with no lock on the job: whoever ends one locks the counter first.
            transaction.on_commit(partial(_count_without_hold, job), using=_alias(), robust=True)
        if job.cost_per_second is None:
            job.cost_per_second = cost_per_second(job.whisper_model)
        job.duration_seconds = actual_seconds
        job.cost_cents = cost_cents(actual_seconds, job.cost_per_second)
        return _finish(job, TranscriptionJob.Status.COMPLETED)


def fail(job: TranscriptionJob, message: str) -> TranscriptionJob:
    """Give the estimate back; the video may be tried again. Safe to call twice.

    Raises Conflict for a completed or cancelled job, InvalidRequest for one that is gone with its user.
    """
    return _abandon(job, TranscriptionJob.Status.FAILED, message)


def cancel(job: TranscriptionJob) -> TranscriptionJob:
    """Give the estimate back because nobody wants the result. Safe to call twice.

    Raises Conflict for a completed or failed job, InvalidRequest for one that is gone with its user.
    """
    return _abandon(job, TranscriptionJob.Status.CANCELLED, "")


def newest_attempt(job: TranscriptionJob) -> TranscriptionJob:
    """Return the user's newest job for the video of this one."""
    attempts = _jobs().filter(
        user_id=job.user_id, content_type_id=job.content_type_id, object_id=job.object_id
    )
    newest = attempts.order_by("-created_at", "-pk").first()
    if newest is None:
        raise InvalidRequest.unknown_job()
    return newest


def check_live(job: TranscriptionJob) -> None:
    if not job.is_live:
        raise Conflict.job_state(job.get_status_display())


def _open(
    user: AnyUser, video: models.Model, estimated_seconds: int, whisper_model: str, key: str
) -> TranscriptionJob:
    with UsageTracker.reserve(user, Metric.TRANSCRIPTION, estimated_seconds) as hold:
        try:
            with transaction.atomic(using=_alias()):
                job = _jobs().create(
                    user_id=hold.reservation.user_id,
                    content_type=ContentType.objects.get_for_model(video),
                    object_id=str(video.pk),
                    reservation_id=hold.id,
                    estimated_seconds=estimated_seconds,
                    whisper_model=whisper_model,
                    cost_per_second=cost_per_second(whisper_model),
                    key=key,
                    status=TranscriptionJob.Status.PROCESSING,
                    started_at=timezone.now(),
                )
        except IntegrityError:
            raise Conflict.live_job() from None
        hold.keep()
    logger.info("transcription_started", extra={"job": job.pk, "seconds": estimated_seconds})
    return job


def _wait_for_the_same_task(user: AnyUser) -> None:
    """A task that is delivered twice at the same moment must not be refused by what its twin has reserved."""
    subscription = ensure_subscription(user)
    rows = UserSubscription.objects.using(_alias()).select_for_update().filter(pk=subscription.pk)
    rows.values_list("pk").first()


def _known(user: AnyUser, video: models.Model, key: str) -> TranscriptionJob | None:
    """Return the live job that goes by the key. What was completed or cancelled under it is not begun again."""
    user_id: UserId = user.pk
    kind = ContentType.objects.get_for_model(video)
    attempts = _jobs().filter(user_id=user_id, content_type=kind, object_id=str(video.pk), key=key)
    newest = attempts.order_by("-created_at", "-pk").first()
    if newest is None or newest.status == TranscriptionJob.Status.FAILED:
        return None
    check_live(newest)
    return newest


def _video_of(job: TranscriptionJob) -> models.Model:
    model = job.content_type.model_class()  # None where the host has removed the model
    video = model._base_manager.filter(pk=job.object_id).first() if model else None
    if video is None:
        raise InvalidRequest.deleted_video()
    return video


def _settle_hold(job: TranscriptionJob, seconds: int) -> tuple[bool, int]:
    """Whether the seconds are counted, and how many: where another worker came first, its figure stands.

    A live job whose hold is lost or was given back is not counted, yet.
    """
    if job.reservation_id is None:
        return True, seconds
    try:
        if counting.commit(job.reservation_id, seconds):
            usage_alerts.look_at(lambda: job.user, Metric.TRANSCRIPTION)
            return True, seconds
    except (Conflict, InvalidRequest):
        return False, seconds
    settled = get_store().settled_amount(job.reservation_id)
    return True, seconds if settled is None else settled


def _count_without_hold(job: TranscriptionJob) -> None:
    """What ran counts, in the period of now where nobody knows any more when it was reserved."""
    logger.warning("transcription_hold_lost", extra={"job": job.pk})
    if job.duration_seconds:
        with suppress(AccountInactive):
            usage_tracker.add(job.user, Metric.TRANSCRIPTION, job.duration_seconds)


@again_after_deadlock(_alias)
def _abandon(job: TranscriptionJob, status: TranscriptionJob.Status, message: str) -> TranscriptionJob:
    with transaction.atomic(using=_alias()):
        job = _fetched(job)
        if job.is_live and job.reservation_id is not None:
            with suppress(InvalidRequest):  # the hold is gone with its record, and so is what it held
                counting.release(job.reservation_id)
        job = _locked(job)
        if job.status == status:
            return job
        check_live(job)
        job.error_message = message
        return _finish(job, status)


def _jobs() -> models.QuerySet[TranscriptionJob]:
    return TranscriptionJob.objects.using(_alias())


def _fetched(job: TranscriptionJob) -> TranscriptionJob:
    return _found(_jobs(), job)


def _locked(job: TranscriptionJob) -> TranscriptionJob:
    return _found(_jobs().select_for_update(), job)


def _found(jobs: models.QuerySet[TranscriptionJob], job: TranscriptionJob) -> TranscriptionJob:
    found = jobs.filter(pk=job.pk).first()
    if found is None:
        raise InvalidRequest.unknown_job()
    return found


def _finish(job: TranscriptionJob, status: TranscriptionJob.Status) -> TranscriptionJob:
    job.status = status
    job.completed_at = timezone.now()
    job.save(
        update_fields=[
            "status",
            "duration_seconds",
            "cost_cents",
            "cost_per_second",
            "error_message",
            "completed_at",
            "updated_at",
        ]
    )
    extra = {"job": job.pk, "status": status.value, "seconds": job.duration_seconds}
    logger.info("transcription_ended", extra=extra)
    return job
