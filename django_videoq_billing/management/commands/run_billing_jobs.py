from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, Job, due, due_jobs, is_running, next_at, run_job
from django_videoq_billing.management.progress import Progress
from django_videoq_billing.management.webhook_work import Stop, stopping
from django_videoq_billing.models import JobRun

logger = logging.getLogger("django_videoq_billing")


class Command(BaseCommand):
    help = (
        "Do what has to be done when nobody is looking: every job whose time has come. Safe to stop anywhere, "
        "to run again and to run in many places at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        how.add_argument("--list", action="store_true", help="Show the jobs and how their last runs ended.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--only", nargs="+", metavar="NAME", help="Run these now, due or not.")
        which.add_argument("--all", action="store_true", help="Run every job now, due or not.")
        parser.add_argument(
            "--interval",
            type=float,
            default=1.0,
            metavar="S",
            help="Seconds between two looks of --loop (1).",
        )

    def handle(self, *args: Any, only: list[str] | None, interval: float, **options: Any) -> None:
        if interval <= 0:
            raise CommandError(f"--interval must be more than 0, not {interval:g}.")
        if options["loop"] and (only or options["all"]):
            raise CommandError("--loop runs what is due; --only and --all go without it.")
        if options["list"]:
            self._list()
            return
        named = _named(only) if only else list(JOBS.values()) if options["all"] else None
        with stopping() as stop:
            self.draws = not options["loop"]
            if options["loop"]:
                self._loop(stop, interval)
                return
            self.before_round()
            failed = self._round(
                named if named is not None else due_jobs(JOBS.values()), stop, named is not None
            )
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}. `run_billing_jobs --list` says why.")

    def before_round(self) -> None:
        """Called before each look at what is due."""
        close_old_connections()

    def _loop(self, stop: Stop, interval: float) -> None:
        while not stop.requested:
            try:
                self.before_round()
                self._round(due_jobs(JOBS.values()), stop)
            except Exception:  # the database went away, or the like: the next look is a new try
                logger.exception("jobs_interrupted")
            stop.wait(interval)

    def _round(self, jobs: Iterable[Job], stop: Stop, to_the_end: bool = False) -> list[str]:
        """Run them one after the other; return the names of those that failed."""
        failed = []
        for job in jobs:
            if stop.requested:
                break
            row = self._run(job, stop)
            while to_the_end and row and row.cursor and not row.failures and not stop.requested:
                row = self._run(job, stop)
            if row is not None and row.outcome == JobRun.Outcome.FAILED:
                failed.append(job.name)
        return failed

    def _run(self, job: Job, stop: Stop) -> JobRun | None:
        progress = Progress(self.stderr, None, job.name)
        progress.shown &= self.draws
        row = run_job(job, asked_to_stop=lambda: stop.requested, told=progress.reached)
        progress.end()
        if row is None:
            self.stdout.write(f"{job.name}: is running elsewhere")
        elif row.outcome == JobRun.Outcome.FAILED:
            self.stderr.write(f"{job.name}: failed: {row.error}")
        elif progress.done:
            more = ", to be continued" if row.cursor else ""
            self.stdout.write(f"{job.name}: {progress.done}{more}")
        return row

    def _list(self) -> None:
        rows = JobRun.objects.in_bulk()
        line = "{:<22}{:<10}{:<18}{:<20}{}"
        self.stdout.write(line.format("job", "every", "last run", "outcome", "next"))
        for job in JOBS.values():
            row = rows.get(job.name)
            last = _moment(row.started_at) if row and row.started_at else "never"
            cells = (job.name, _span(job.every), last, _outcome(row), _next(job, row))
            self.stdout.write(line.format(*cells))
            if row and row.error:
                self.stdout.write(f"  {row.error.partition(chr(10))[0]}")


def _named(names: Iterable[str]) -> list[Job]:
    unknown = sorted(set(names) - JOBS.keys())
    if unknown:
        raise CommandError(f"There is no job {unknown[0]!r}. There are: {', '.join(JOBS)}.")
    return [JOBS[name] for name in dict.fromkeys(names)]


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def _outcome(row: JobRun | None) -> str:
    if row is None or not row.outcome:
        return "-"
    return f"failed {row.failures} times" if row.failures > 1 else str(row.outcome)


def _next(job: Job, row: JobRun | None) -> str:
    if is_running(job, row):
        return "running"
    when = next_at(job, row)
    return "now" if when is None or due(job, row) else _moment(when)
