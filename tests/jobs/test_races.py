"""Many places that look at once: one of them runs the job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event, Lock

import pytest
from django.db import connection

from django_videoq_billing.jobs import Job, Run, run_job
from django_videoq_billing.models import JobRun

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True, available_apps=["django_videoq_billing", "django.contrib.auth"]),
]
PLACES = 6


@pytest.mark.parametrize("known", [True, False], ids=["a known job", "its first run of all"])
def test_one_of_many_runs_it(known: bool) -> None:
    if known:
        JobRun.objects.create(name="sweep")
    barrier, others_left, lock = Barrier(PLACES), Event(), Lock()
    left: list[JobRun | None] = []

    def work(run: Run) -> None:
        run.did()
        assert others_left.wait(timeout=30), "a second one is at work"

    def place(_: int) -> None:
        try:
            barrier.wait(timeout=30)
            row = run_job(Job("sweep", timedelta(minutes=1), work))
            with lock:
                left.append(row)
                if len(left) == PLACES - 1:
                    others_left.set()
        finally:
            connection.close()

    with ThreadPoolExecutor(PLACES) as pool:
        list(pool.map(place, range(PLACES)))

    assert [row.outcome for row in left if row] == ["ok"]
    assert left.count(None) == PLACES - 1
    row = JobRun.objects.get()
    assert (row.done, row.holder, row.leased_until) == (1, "", None)
