"""Races and a worker that is really killed, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services import transcription
from django_videoq_billing.services.transcription import monthly_costs, track_transcription
from django_videoq_billing.usage import get_store
from tests.services.transcription.rows import expire_all, used
from tests.usage.test_concurrency import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).parents[3]

# Opens a job as a task would, and dies in the middle of it as if the machine were switched off.
WORKER = """
import os, signal, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.contrib.auth.models import Group, User
from django_videoq_billing.services.transcription import track_transcription
with track_transcription(User.objects.get(), Group.objects.get(), 100, key="task 1"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run_worker() -> int:
    worker = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-W", "ignore", "-c", WORKER, connection.settings_dict["NAME"]],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        timeout=60,
        check=False,
    )
    return worker.returncode


@pytest.mark.parametrize("overdue", [False, True])
def test_a_task_goes_on_after_its_worker_was_killed(user: User, video: Group, overdue: bool) -> None:
    assert run_worker() == -signal.SIGKILL
    left = TranscriptionJob.objects.get()
    assert (left.status, used(user)) == ("processing", 100)
    if overdue:
        assert expire_all() == 1
        assert used(user) == 0
    with track_transcription(user, video, 100, key="task 1") as tracked:
        assert tracked.job == left
        tracked.complete(80)
    assert (TranscriptionJob.objects.get().status, used(user)) == ("completed", 80)


def test_one_video_is_tried_again_by_many_at_once_and_runs_once(user: User, video: Group) -> None:
    failed = transcription.fail(transcription.start(user, video, 100), "no speech")

    def retry(number: int) -> int:
        with suppress(BillingError):
            transcription.retry(failed)
            return 1
        return 0

    assert sum(at_once(retry)) == 1
    assert (TranscriptionJob.objects.count(), used(user)) == (2, 100)


def test_one_task_delivered_many_times_at_once_is_one_job(user: User, video: Group) -> None:
    jobs = at_once(lambda number: transcription.start(user, video, 100, key="task 1").pk)
    assert len(set(jobs)) == 1
    assert (TranscriptionJob.objects.count(), used(user)) == (1, 100)


Move = Callable[[TranscriptionJob], TranscriptionJob]


@pytest.mark.parametrize("state", ["live", "overdue", "hold lost"])
def test_whoever_ends_a_job_first_decides(user: User, video: Group, state: str) -> None:
    moves: list[Move] = [
        lambda job: transcription.complete(job, 80),
        lambda job: transcription.complete(job, 90),
        transcription.cancel,
        lambda job: transcription.fail(job, "no speech"),
    ]
    for _ in range(5):
        before = used(user)
        job = transcription.start(
            user, Group.objects.create(name=f"{state} {TranscriptionJob.objects.count()}"), 10
        )
        if state == "overdue":
            expire_all()
        elif state == "hold lost":
            assert job.reservation_id
            get_store().release(job.reservation_id)

        def end(number: int, job: TranscriptionJob = job) -> None:
            with suppress(BillingError):
                moves[number % len(moves)](job)

        at_once(end)

        job.refresh_from_db()
        assert not job.is_live
        assert job.duration_seconds in ((80, 90) if job.status == "completed" else (0,))
        assert used(user) - before == job.duration_seconds
    jobs = TranscriptionJob.objects.values_list("cost_cents", flat=True)
    assert monthly_costs(job.created_at).cost_cents == sum(jobs)
