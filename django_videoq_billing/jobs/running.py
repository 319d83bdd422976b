"""One run of a job: the lease that keeps a second one away, the time it may take, and how it ended."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from django_videoq_billing.models import JobRun

logger = logging.getLogger("django_videoq_billing")

LONGEST_ERROR = 2000
SPARE = timedelta(minutes=2)
"""A lease outlasts the time a run is given by this much: for the step that it is in when the time is up."""
UNEVEN = timedelta(minutes=2)
"""Clocks of two places may differ by this. What lies further ahead was written by a clock that was set back since."""
LONGEST_WAIT = timedelta(hours=1)
"""A job that fails is tried again after twice its pace, then four times, and so on, up to this."""
EARLY = 10
"""A job may come early by this part of its pace: the clocks of cron and beat are never quite even."""
UNFINISHED = {"unfinished": True}


@dataclass(slots=True)
class Run:
    """What a job is given: how long it may go on, where the last run stopped, and who is told of progress.

    `cursor` and `report` are kept with the job. A run that ends with `finished` False goes on from its cursor,
    and with its report, at the next occasion, without waiting for its time to come. `total` is for a job that
    knows how much there is to do.
    """

    deadline: float
    cursor: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    last_report: dict[str, Any] = field(default_factory=dict)
    finished: bool = True
    done: int = 0
    total: int | None = None
    asked_to_stop: Callable[[], bool] = lambda: False
    told: Callable[[int, int | None], object] = lambda done, total: None

    def may_go_on(self) -> bool:
        """Ask between two steps; after False end soon, with the place kept in `cursor`."""
        if self.asked_to_stop() or time.monotonic() >= self.deadline:
            self.finished = False
        return self.finished

    def did(self, count: int = 1) -> None:
        self.done += count
        self.told(self.done, self.total)


@dataclass(frozen=True, slots=True)
class Job:
    """`work` must be safe to run twice and to stop anywhere; `seconds` bounds a run, which asks `may_go_on`.

    A `shared` job claims its rows one by one: runs of it beside each other share the work, and no lease keeps
    them apart.
    """

    name: str
    every: timedelta
    work: Callable[[Run], object]
    seconds: int = 60
    shared: bool = False


def next_at(job: Job, row: JobRun | None) -> datetime | None:
    """Return when the job is to run next; None for at once."""
    if row is None or row.started_at is None:
        return None
    if row.failures:  # 2 ** 20 is past every LONGEST_WAIT
        wait: timedelta = job.every * (1 << min(row.failures, 20))
        return row.started_at + min(wait, LONGEST_WAIT)
    return None if row.cursor else row.started_at + job.every


def is_running(job: Job, row: JobRun | None) -> bool:
    """Whether somebody is at it."""
    now = timezone.now()
    return bool(row and row.leased_until and now < row.leased_until <= now + _lease(job) + UNEVEN)


def due(job: Job, row: JobRun | None) -> bool:
    """Whether the job's time has come, or its last run stopped half-way, and nobody is at it."""
    if is_running(job, row) and not job.shared:
        return False
    when, now = next_at(job, row), timezone.now()
    if when is None or when - job.every / EARLY <= now:
        return True
    return row is not None and row.started_at is not None and row.started_at > now + UNEVEN


def due_jobs(jobs: Iterable[Job]) -> list[Job]:
    """Return those whose time has come, in their order; one query."""
    rows = JobRun.objects.in_bulk()
    return [job for job in jobs if due(job, rows.get(job.name))]


def run_job(
    job: Job,
    *,
    asked_to_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, int | None], object] = lambda done, total: None,
) -> JobRun | None:
    """Run the job now, unless somebody is at it: then None. A job that fails is written down, and does not raise."""
    holder = _take(job)
    if holder is None:
        return None
    row = JobRun.objects.get(name=job.name)
    run = Run(
        deadline=time.monotonic() + job.seconds,
        cursor=row.cursor,
        report=row.report if row.cursor else {},
        last_report=row.report,
        asked_to_stop=asked_to_stop,
        told=told,
    )
    try:
        job.work(run)
    except Exception as error:
        logger.exception("job_failed", extra={"job": job.name})
        words = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        _end(job, holder, run, outcome=JobRun.Outcome.FAILED, failures=F("failures") + 1, error=words)
    except BaseException:  # the process is told to go: whoever comes next need not wait for the lease
        run.finished = False
        _end(job, holder, run)
        raise
    else:
        _end(job, holder, run, outcome=JobRun.Outcome.OK, succeeded_at=timezone.now(), failures=0, error="")
    return JobRun.objects.get(name=job.name)


def _lease(job: Job) -> timedelta:
    return timedelta(seconds=job.seconds) + SPARE


def _take(job: Job) -> str | None:
    """Take the lease; None where somebody has it. Whoever dies loses it when it runs out."""
    now, holder = timezone.now(), secrets.token_hex(16)
    of_another_time = Q(leased_until__gt=now + _lease(job) + UNEVEN)
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now) | of_another_time
    rows = JobRun.objects.filter(Q() if job.shared else free, name=job.name)
    lease = {"holder": holder, "leased_until": now + _lease(job), "started_at": now}
    if rows.update(**lease):
        return holder
    JobRun.objects.bulk_create([JobRun(name=job.name)], ignore_conflicts=True)  # its first run of all
    return holder if rows.update(**lease) else None


def _end(job: Job, holder: str, run: Run, **outcome: Any) -> None:
    """Write the outcome and give the lease back, unless it ran out and somebody else has taken it."""
    mine = JobRun.objects.filter(name=job.name, **({} if job.shared else {"holder": holder}))
    failed = outcome.get("outcome") == JobRun.Outcome.FAILED
    stays = failed or not run.finished
    mine.update(
        holder="",
        leased_until=None,
        finished_at=timezone.now(),
        done=run.done,
        report=run.report,
        cursor=run.cursor or (UNFINISHED if not run.finished else {}) if stays else {},
        **outcome,
    )
