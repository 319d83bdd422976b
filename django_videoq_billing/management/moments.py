"""Days and moments that an operator gives."""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def read_moment(option: str, text: str, zone: tzinfo = UTC) -> datetime:
    """Read a day (its first moment) or a moment, in `zone` unless it names its offset; raises CommandError."""
    try:
        day = parse_date(text)
        found = datetime.combine(day, time.min) if day else parse_datetime(text)
        if found is not None:
            aware = timezone.make_aware(found, zone) if timezone.is_naive(found) else found
            return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise CommandError(
        f"{option} takes a day or a moment, 2026-01-31 or 2026-01-31T12:00+09:00, not {text!r}."
    )
