from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing import tasks
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_user

NAMES = ["expire_reservations", "flush_usage", "send_notifications"]


@pytest.mark.django_db(transaction=True)
def test_the_flush_as_a_task(redis_settings: Any) -> None:
    pytest.importorskip("celery", reason="The base install has no Celery.")
    UsageTracker.reserve(make_user(), "video").commit()

    tasks.flush_usage.apply().get()

    assert UsageRecord.objects.get().video_count == 1


@pytest.mark.django_db
def test_overdue_holds_as_a_task() -> None:
    user = make_user()
    UsageTracker.reserve(user, "video")

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert tasks.expire_reservations() == 1
    assert UsageTracker.get_usage(user)["video_count"] == 0


def test_tasks_have_names_that_do_not_move_with_the_code() -> None:
    pytest.importorskip("celery", reason="The base install has no Celery.")
    assert [getattr(tasks, name).name for name in NAMES] == [f"videoq_billing.{name}" for name in NAMES]


def test_without_celery_they_are_functions() -> None:
    """Nothing else may import it, either: the whole package is loaded."""
    code = (
        "import sys; sys.modules['celery'] = None\n"
        "import django; django.setup()\n"
        "from django_videoq_billing import tasks\n"
        f"print(*[getattr(tasks, name).__name__ for name in {NAMES}])"
    )
    answer = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == NAMES
