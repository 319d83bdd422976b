"""Transcriptions: seconds of audio are reserved by estimate and settled by what was really transcribed."""

from django_videoq_billing.services.transcription.costs import (
    MonthlyCosts,
    UserCosts,
    cost_cents,
    cost_per_second,
    monthly_costs,
)
from django_videoq_billing.services.transcription.jobs import (
    MAX_SECONDS,
    billable_seconds,
    cancel,
    complete,
    fail,
    retry,
    start,
)
from django_videoq_billing.services.transcription.tracking import (
    TrackedTranscription,
    track_job,
    track_transcription,
)

__all__ = [
    "MAX_SECONDS",
    "MonthlyCosts",
    "TrackedTranscription",
    "UserCosts",
    "billable_seconds",
    "cancel",
    "complete",
    "cost_cents",
    "cost_per_second",
    "fail",
    "monthly_costs",
    "retry",
    "start",
    "track_job",
    "track_transcription",
]
