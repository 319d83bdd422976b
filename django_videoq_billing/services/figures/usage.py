"""How much of their limits users have used, and who has little left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Greatest

from django_videoq_billing.models import UsageRecord
from django_videoq_billing.types import Metric

COLUMNS = {
    Metric.VIDEO: ("video_count", "video_limit"),
    Metric.TRANSCRIPTION: ("transcription_seconds", "transcription_limit_seconds"),
}
PARTS = ("unused", "to_50", "to_80", "to_100", "full", "unlimited")
"""Of the limit: nothing, less than 50 %, less than 80 %, less than all, all or more; and who has no limit."""
CLOSE = 80


def running(now: datetime) -> QuerySet[UsageRecord]:
    """Each user once: the period that a change of plan has cut short is over, whatever its record's end says."""
    lasting = UsageRecord.objects.filter(billing_period_start__lte=now, billing_period_end__gt=now)
    return lasting.filter(user__subscription__current_period_start__lte=F("billing_period_start")).order_by()


def usage_distribution(now: datetime) -> dict[str, dict[str, int]]:
    """Return by metric how many users of running periods are in each of PARTS; one query. Open holds count."""
    counts = {
        f"{metric}_{part}": Count("pk", filter=condition)
        for metric in COLUMNS
        for part, condition in _parts(metric).items()
    }
    found = running(now).aggregate(**counts)
    return {
        metric.value: {part: found[f"{metric}_{part}"] for part in PARTS if found[f"{metric}_{part}"]}
        for metric in COLUMNS
    }


def _parts(metric: Metric) -> dict[str, Q]:
    used, limit = COLUMNS[metric]
    no_limit, unused = Q(**{f"{limit}__isnull": True}), Q(**{used: 0})
    limited = Q(**{f"{limit}__isnull": False}) & ~unused

    def from_(percent: int) -> Q:
        return Q(**{f"{used}__gte": F(limit) * percent / 100.0})

    return {
        "unused": ~no_limit & unused,
        "to_50": limited & ~from_(50),
        "to_80": limited & from_(50) & ~from_(80),
        "to_100": limited & from_(80) & ~from_(100),
        "full": limited & from_(100),
        "unlimited": no_limit,
    }


def close_to_limits(now: datetime, count: int) -> list[Any]:
    """Return the records that have used the largest part of a limit, from CLOSE percent on, with their users."""
    shares = [_share(*COLUMNS[metric]) for metric in COLUMNS]
    close = Q(video_share__gte=CLOSE) | Q(transcription_share__gte=CLOSE)
    rows = running(now).annotate(video_share=shares[0], transcription_share=shares[1]).filter(close)
    largest = Greatest("video_share", "transcription_share")
    return list(rows.select_related("user").order_by(largest.desc(), "pk")[:count])


def _share(used: str, limit: str) -> Any:
    """Percent of the limit; nothing where there is no limit, and a limit of 0 is no share of anything."""
    return Case(
        When(**{f"{limit}__gt": 0}, then=Cast(F(used), FloatField()) * 100.0 / F(limit)),
        default=Value(0.0),
        output_field=FloatField(),
    )
