"""One run of a job: the lease that keeps a second one away, the time it may take, and how it ended."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from django_videoq_billing.models import JobRun

logger = logging.getLogger("django_videoq_billing")

LONGEST_ERROR = 2000
SPARE = timedelta(minutes=2)
"""A lease outlasts the time a run is given by this much: for the step that it is in when the time is up."""


@dataclass(slots=True)
class Run:
    """What a job is given: how long it may go on, where the last run stopped, and who is told of progress.

    `cursor` and `report` are kept with the job. A run that ends with `finished` False goes on from its cursor
    at the next occasion, without waiting for its time to come.
    """

    deadline: float
    cursor: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    finished: bool = True
    done: int = 0
    asked_to_stop: Callable[[], bool] = lambda: False
    told: Callable[[int], object] = lambda done: None

    def may_go_on(self) -> bool:
        """Ask between two steps; after False end soon, with the place kept in `cursor`."""
        if self.asked_to_stop() or time.monotonic() >= self.deadline:
            self.finished = False
        return self.finished

    def did(self, count: int = 1) -> None:
        self.done += count
        self.told(self.done)


@dataclass(frozen=True, slots=True)
class Job:
    """`work` must be safe to run twice and to stop anywhere; `seconds` bounds a run, which asks `may_go_on`."""

    name: str
    every: timedelta
    work: Callable[[Run], object]
    seconds: int = 60


def due(job: Job) -> bool:
    """Whether the job's time has come, or its last run stopped half-way, and nobody is at it."""
    row = JobRun.objects.filter(name=job.name).first()
    now = timezone.now()
    if row is None or row.started_at is None:
        return True
    if row.leased_until is not None and row.leased_until > now:
        return False
    return bool(row.cursor) or row.started_at + job.every <= now or row.started_at > now


def run_job(
    job: Job,
    *,
    asked_to_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int], object] = lambda done: None,
) -> JobRun | None:
    """Run the job now, unless somebody is at it: then None. A job that fails is written down, and does not raise."""
    holder = _take(job)
    if holder is None:
        return None
    row = JobRun.objects.get(name=job.name)
    run = Run(
        deadline=time.monotonic() + job.seconds, cursor=row.cursor, asked_to_stop=asked_to_stop, told=told
    )
    try:
        job.work(run)
    except Exception as error:
        logger.exception("job_failed", extra={"job": job.name})
        _end(
            job,
            holder,
            outcome=JobRun.Outcome.FAILED,
            failures=F("failures") + 1,
            error=f"{type(error).__name__}: {error}"[:LONGEST_ERROR],
            done=run.done,
            cursor=run.cursor,
        )
    else:
        _end(
            job,
            holder,
            outcome=JobRun.Outcome.OK,
            succeeded_at=timezone.now(),
            failures=0,
            error="",
            done=run.done,
            cursor={} if run.finished else run.cursor,
            report=run.report,
        )
    return JobRun.objects.get(name=job.name)


def _take(job: Job) -> str | None:
    """Take the lease; None where somebody has it. Whoever dies loses it when it runs out."""
    JobRun.objects.bulk_create([JobRun(name=job.name)], ignore_conflicts=True)
    now, holder = timezone.now(), secrets.token_hex(16)
    free = JobRun.objects.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now), name=job.name)
    until = now + timedelta(seconds=job.seconds) + SPARE
    return holder if free.update(holder=holder, leased_until=until, started_at=now) else None


def _end(job: Job, holder: str, **outcome: Any) -> None:
    """Write the outcome and give the lease back, unless it ran out and somebody else has taken it."""
    mine = JobRun.objects.filter(name=job.name, holder=holder)
    mine.update(holder="", leased_until=None, finished_at=timezone.now(), **outcome)
