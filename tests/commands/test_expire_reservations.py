from __future__ import annotations

from datetime import timedelta

import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.commands.conftest import Run


def test_overdue_holds_are_given_back_and_counted(run: Run, ada: User) -> None:
    UsageTracker.reserve(ada, "video")
    UsageTracker.reserve(ada, "transcription", 90)
    assert run("expire_reservations") == "No hold is overdue.\n"
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        UsageTracker.reserve(ada, "video").keep()
        assert run("expire_reservations") == "Gave back 2 overdue holds.\n"
        assert run("expire_reservations") == "No hold is overdue.\n"
    usage = UsageTracker.get_usage(ada)
    assert (usage["video_count"], usage["transcription_seconds"]) == (1, 0)
    assert UsageReservation.objects.held().count() == 1


def test_a_single_hold_reads_well(run: Run, ada: User) -> None:
    UsageTracker.reserve(ada, "video")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert run("expire_reservations") == "Gave back 1 overdue hold.\n"
