from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from django_videoq_billing.jobs import Job, Run
from django_videoq_billing.management.commands import run_billing_jobs
from django_videoq_billing.models import JobRun, UsageReservation
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.commands.conftest import Run as RunCommand
from tests.factories import make_user

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Three jobs, of which the second fails; returns how often each has run."""
    ran: dict[str, int] = {}

    def work(name: str) -> Callable[[Run], None]:
        def _work(run: Run) -> None:
            ran[name] = ran.get(name, 0) + 1
            run.did()
            if name == "second":
                raise ValueError("out of order")

        return _work

    jobs = {name: Job(name, timedelta(hours=1), work(name)) for name in ("first", "second", "third")}
    monkeypatch.setattr(run_billing_jobs, "JOBS", jobs)
    return ran


def test_overdue_holds_are_given_back(run: RunCommand) -> None:
    user = make_user()
    UsageTracker.reserve(user, "video")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert "expire_reservations: 1\n" in run("run_billing_jobs")
    assert UsageReservation.objects.get().state == UsageReservation.State.EXPIRED


def test_a_job_that_fails_keeps_no_other_from_running(run: RunCommand, jobs: dict[str, int]) -> None:
    err = StringIO()
    with pytest.raises(CommandError, match=r"^Failed: second\. "):
        run("run_billing_jobs", stderr=err)
    assert jobs == {"first": 1, "second": 1, "third": 1}
    assert "second: failed: ValueError: out of order" in err.getvalue()


def test_what_is_not_due_is_left_alone_unless_it_is_named(run: RunCommand, jobs: dict[str, int]) -> None:
    run("run_billing_jobs", only=["third"])
    assert jobs == {"third": 1}
    with pytest.raises(CommandError):
        run("run_billing_jobs")
    run("run_billing_jobs")
    assert jobs == {"first": 1, "second": 1, "third": 1}
    run("run_billing_jobs", only=["third", "first", "third"])
    with pytest.raises(CommandError):
        run("run_billing_jobs", all=True)
    assert jobs == {"first": 3, "second": 2, "third": 3}


def test_a_named_job_is_run_to_its_end(
    run: RunCommand, jobs: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_slices(run: Run) -> None:
        run.did()
        run.cursor["place"] = run.cursor.get("place", 0) + 1
        run.finished = run.cursor["place"] == 3

    monkeypatch.setitem(vars(run_billing_jobs)["JOBS"], "third", Job("third", timedelta(hours=1), in_slices))
    printed = run("run_billing_jobs", only=["third"])
    assert printed.splitlines() == ["third: 1, to be continued"] * 2 + ["third: 1"]


def test_the_list(run: RunCommand, jobs: dict[str, int]) -> None:
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False):
        with pytest.raises(CommandError):
            run("run_billing_jobs", only=["first", "second"])
        lines = [line.split() for line in run("run_billing_jobs", list=True).splitlines()]
    assert lines == [
        ["job", "every", "last", "run", "outcome", "next"],
        ["first", "1", "h", "2026-03-01", "12:00", "ok", "2026-03-01", "13:00"],
        ["second", "1", "h", "2026-03-01", "12:00", "failed", "2026-03-01", "13:00"],
        ["ValueError:", "out", "of", "order"],
        ["third", "1", "h", "never", "-", "now"],
    ]


@pytest.mark.django_db
def test_progress_is_drawn_on_a_terminal_alone(jobs: dict[str, int]) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), StringIO()
    for where in (terminal, pipe):
        call_command("run_billing_jobs", only=["first"], stdout=StringIO(), stderr=where, no_color=True)
    assert "\rfirst 1" in terminal.getvalue()
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"only": ["nothing"]}, "There is no job 'nothing'. There are: fetch_missed_events,"),
        ({"interval": 0.0}, "--interval must be more than 0"),
        ({"loop": True, "all": True}, "--loop runs what is due"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: RunCommand, options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=f"^{words}"):
        run("run_billing_jobs", **options)


def test_the_loop_goes_on_after_a_failure_and_ends_when_told(tmp_path: Path) -> None:
    """A process of its own, on a database that has no tables at first."""
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "django", "run_billing_jobs", "--loop", "--interval", "0.05"]
    loop = subprocess.Popen(  # noqa: S603 (our own command)
        command, cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert loop.stderr is not None
        for line in loop.stderr:
            if "jobs_interrupted" in line:
                break
        assert loop.poll() is None
        loop.send_signal(signal.SIGTERM)
        loop.communicate(timeout=20)
        assert loop.returncode == 0
    finally:
        loop.kill()
        loop.wait()


@pytest.mark.django_db
def test_the_job_rows_are_made_by_running_alone(run: RunCommand) -> None:
    run("run_billing_jobs", list=True)
    assert not JobRun.objects.exists()
