from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import UsageRecord, UsageReservation
from tests.models.rows import DAY, END, START, new_record, new_reservation


def record(**fields: Any) -> UsageRecord:
    """One that needs no database."""
    return UsageRecord(billing_period_start=START, billing_period_end=END, **fields)


def test_a_record_beside_its_limits() -> None:
    row = record(video_count=4, video_limit=3, transcription_seconds=1799, transcription_limit_seconds=1800)
    assert (row.video_usage_percentage, row.video_overage) == (133.3, 1)
    assert (row.transcription_usage_percentage, row.transcription_overage_seconds) == (99.9, 0)
    assert (row.transcription_minutes, row.transcription_limit_minutes) == (30.0, 30)


def test_a_record_without_limits() -> None:
    row = record(video_count=4, transcription_seconds=90)
    assert (row.video_usage_percentage, row.transcription_usage_percentage) == (None, None)
    assert (row.video_overage, row.transcription_overage_seconds) == (0, 0)
    assert (row.transcription_minutes, row.transcription_limit_minutes) == (1.5, None)


@pytest.mark.django_db
def test_held_and_overdue_holds() -> None:
    row = new_record()
    row.save()
    late = new_reservation(record=row, expires_at=END)
    later = new_reservation(record=row, expires_at=END + DAY)
    settled = new_reservation(record=row, expires_at=START, state="committed")
    for hold in (late, later, settled):
        hold.save()
    assert set(UsageReservation.objects.held()) == {late, later}
    assert list(UsageReservation.objects.overdue(END - DAY)) == []
    assert list(UsageReservation.objects.overdue(END)) == [late]
