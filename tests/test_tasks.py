from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing import signals, tasks
from django_videoq_billing.beat import beat_schedule
from django_videoq_billing.jobs import JOBS
from django_videoq_billing.models import JobRun, UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_user

needs_celery = pytest.mark.skipif(find_spec("celery") is None, reason="The base install has no Celery.")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Messages are worked on where they are sent."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    from tests.celery_site import app

    app.set_current()
    app.conf.task_always_eager = True
    yield app
    app.conf.task_always_eager = False


@needs_celery
@pytest.mark.django_db(transaction=True)
def test_the_flush_as_a_task(redis_settings: Any) -> None:
    UsageTracker.reserve(make_user(), "video").commit()

    tasks.TASKS["flush_usage"].apply().get()

    assert UsageRecord.objects.get().video_count == 1


@pytest.mark.django_db
def test_overdue_holds_as_a_task() -> None:
    user = make_user()
    UsageTracker.reserve(user, "video")

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        tasks.TASKS["expire_reservations"]()
    assert UsageTracker.get_usage(user)["video_count"] == 0


@needs_celery
def test_every_job_is_a_task_whose_name_does_not_move_with_the_code() -> None:
    assert {name: task.name for name, task in tasks.TASKS.items()} == {
        name: f"videoq_billing.{name}" for name in JOBS
    }
    assert all(task.acks_late and task.reject_on_worker_lost for task in tasks.TASKS.values())


@needs_celery
@pytest.mark.django_db
def test_what_beat_sends_runs_each_job_when_its_time_has_come(eager: Any) -> None:
    (entry,) = beat_schedule().values()
    eager.autodiscover_tasks(force=True)
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        for seconds in (0, 5, 11):
            clock.move_to(began + timedelta(seconds=seconds))
            eager.tasks[entry["task"]].apply().get()
    ran = {
        row.name: round((row.started_at - began).total_seconds())
        for row in JobRun.objects.all()
        if row.started_at
    }
    assert ran.keys() == JOBS.keys()
    assert ran["process_webhooks"] == 11
    assert ran["expire_reservations"] == 0, "its time has not come again"


@needs_celery
@pytest.mark.django_db
def test_what_waits_wakes_celery_where_the_settings_say_so(eager: Any, settings: Any) -> None:
    for how, runs in (("worker", 0), ("celery", 1)):
        settings.VIDEOQ_BILLING = {"WEBHOOK_PROCESSING": how}
        signals.work_waiting.send(None, job="process_webhooks")
        signals.work_waiting.send(None, job="somebody_elses")
        assert JobRun.objects.count() == runs


def test_without_celery_they_are_functions() -> None:
    """Nothing else may import it, either: the whole package is loaded."""
    code = (
        "import sys; sys.modules['celery'] = None\n"
        "import django; django.setup()\n"
        "from django_videoq_billing import tasks\n"
        "print(*[task.__name__ for task in tasks.TASKS.values()])"
    )
    answer = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == list(JOBS)


def test_a_site_that_does_not_use_celery_does_not_import_it() -> None:
    code = "import sys, django; django.setup(); import tests.urls; print('celery' in sys.modules)"
    answer = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False"]


def test_the_schedule_can_be_had_before_django_is_set_up() -> None:
    """A host's celery.py is imported by its package, before everything else."""
    code = "from django_videoq_billing.beat import beat_schedule; print(*beat_schedule())"
    answer = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["videoq-billing"]
