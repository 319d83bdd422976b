"""What is used in each period: a record, its transcription jobs, the warnings that it leads to, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import TranscriptionJob, UsageAlert, UsageRecord, UsageRefusal
from django_videoq_billing.services.transcription import cost_cents, cost_per_second
from django_videoq_billing.types import Metric
from example_project.videos.demo.lives import Life, Span

MODEL = "whisper-1"
MOST_JOBS = 12
UNLIMITED = 80
"""What a limit would be for those who have none, when it is drawn how much they upload."""
SECONDS_A_VIDEO = 420
FAILURES = 0.04

Status = TranscriptionJob.Status


def records_of(user: User, life: Life, rng: Random) -> list[UsageRecord]:
    """One for each period: some use little, most a part of what they have, a few all of it."""
    keenness = rng.lognormvariate(-0.9, 0.8)
    return [_record(user, span, life.now, keenness * rng.lognormvariate(0, 0.4), rng) for span in life.spans]


def _record(user: User, span: Span, now: datetime, keenness: float, rng: Random) -> UsageRecord:
    part = min((min(span.end, now) - span.start) / (span.end - span.start) * 1.3, 1.0)
    videos, seconds = span.plan.video_limit, span.plan.transcription_limit_seconds
    wanted = int((videos or UNLIMITED * span.plan.months) * keenness * part + 0.5)
    count = wanted if videos is None else min(wanted, videos)
    spoken = int(
        count * rng.uniform(0.3, 1.2) * (seconds / videos if seconds and videos else SECONDS_A_VIDEO)
    )
    if seconds is not None and spoken > seconds:  # the last one was estimated too low, and what ran counts
        spoken = seconds + rng.choice((0, 0, rng.randrange(1, 240)))
    last = span.start + (min(span.end, now) - span.start) * rng.uniform(0.7, 0.99) if count else None
    return UsageRecord(
        user=user,
        billing_period_start=span.start,
        billing_period_end=span.end,
        video_count=count,
        transcription_seconds=spoken,
        video_limit=videos,
        transcription_limit_seconds=seconds,
        last_video_uploaded_at=last,
        last_transcription_at=last if spoken else None,
    )


def jobs_of(record: UsageRecord, kind: ContentType, rng: Random) -> Iterator[TranscriptionJob]:
    """Completed ones that add up to the record's seconds, and now and then one that failed."""
    last = record.last_transcription_at
    if last is None:
        return
    count = min(record.video_count, MOST_JOBS, record.transcription_seconds)
    cuts = sorted(rng.sample(range(1, record.transcription_seconds), count - 1))
    ends = [*cuts, record.transcription_seconds]
    for number, (begin, end) in enumerate(zip([0, *cuts], ends, strict=True), start=1):
        at = record.billing_period_start + (last - record.billing_period_start) * (number / count)
        if rng.random() < FAILURES:
            failed = _job(record.user, kind, rng, at)
            failed.status, failed.error_message = Status.FAILED, "The file has no sound."
            yield failed
        job = _job(record.user, kind, rng, at)
        job.duration_seconds = job.estimated_seconds = end - begin
        job.cost_cents = cost_cents(end - begin, cost_per_second(MODEL))
        yield job


def _job(user: User, kind: ContentType, rng: Random, at: datetime) -> TranscriptionJob:
    return TranscriptionJob(
        user=user,
        content_type=kind,
        object_id=str(UUID(int=rng.getrandbits(128), version=4)),
        estimated_seconds=rng.randrange(60, 900),
        cost_per_second=cost_per_second(MODEL),
        whisper_model=MODEL,
        status=Status.COMPLETED,
        started_at=at,
        completed_at=at,
    )


def alerts_of(record: UsageRecord) -> Iterator[UsageAlert]:
    """A warning for each threshold that was reached; of several reached by the same upload only the highest."""
    last = record.last_video_uploaded_at
    thresholds = get_settings().WARNING_THRESHOLDS
    standing = (
        (Metric.VIDEO, record.video_count, record.video_limit),
        (Metric.TRANSCRIPTION, record.transcription_seconds, record.transcription_limit_seconds),
    )
    for metric, used, limit in standing:
        if last is None or not limit:
            continue
        reached = {-(-limit * threshold // 100): threshold for threshold in thresholds}
        for step, threshold in reached.items():
            if step <= used:
                at = record.billing_period_start + (last - record.billing_period_start) * (
                    step / max(used, 1)
                )
                yield UsageAlert(
                    user=record.user,
                    metric=metric,
                    period_start=record.billing_period_start,
                    period_end=record.billing_period_end,
                    threshold=threshold,
                    used=step,
                    limit=limit,
                    created_at=at,
                )


def refusals_of(record: UsageRecord, now: datetime, rng: Random) -> Iterator[UsageRefusal]:
    """Most who have used all their videos try once more."""
    last, limit = record.last_video_uploaded_at, record.video_limit
    if last is None or not limit or record.video_count < limit or rng.random() < 0.3:
        return
    at = last + (min(record.billing_period_end, now) - last) * rng.random()
    yield UsageRefusal(
        user=record.user,
        metric=Metric.VIDEO,
        hour=at.replace(minute=0, second=0, microsecond=0),
        amount=1,
        used=record.video_count,
        limit=limit,
        created_at=at,
    )
