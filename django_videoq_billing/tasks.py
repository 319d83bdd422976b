"""The jobs as Celery tasks, for hosts that have it: one for each, named `videoq_billing.<job>`.

The only module that knows Celery. A task is a wake-up: what it finds to do is written down elsewhere, so a lost, late or
doubled message does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django_videoq_billing.jobs import JOBS, due, due_jobs, run_job
from django_videoq_billing.models import JobRun

try:
    from celery import current_app, shared_task
except ImportError:  # then these are plain functions
    current_app = None

    def shared_task(**options: Any) -> Callable[[Any], Any]:
        return lambda function: function


logger = logging.getLogger("django_videoq_billing")

EXPIRES_SECONDS = 60
PATIENCE_SECONDS = 2
"""How long a request waits for the broker."""

# Acknowledged when it is done: a killed worker's task goes to another one.
_OPTIONS: dict[str, Any] = {"ignore_result": True, "acks_late": True, "reject_on_worker_lost": True}


def _task(name: str) -> Any:
    def run(only_when_due: bool = False) -> None:
        job = JOBS[name]
        if only_when_due and not due(job, JobRun.objects.filter(name=name).first()):
            return
        run_job(job)

    run.__name__ = name
    return shared_task(name=f"videoq_billing.{name}", **_OPTIONS)(run)


TASKS = {name: _task(name) for name in JOBS}


@shared_task(name="videoq_billing.run_due_jobs", **_OPTIONS)
def run_due_jobs() -> None:
    """Send every job whose time has come; beat sends this one (see `beat_schedule`)."""
    for job in due_jobs(JOBS.values()):
        TASKS[job.name].apply_async(kwargs={"only_when_due": True}, expires=EXPIRES_SECONDS)


def wake(name: str) -> None:
    """Have a worker run the job now. Never raises and never waits long: beat comes by anyway."""
    timeouts = {"socket_connect_timeout": PATIENCE_SECONDS, "socket_timeout": PATIENCE_SECONDS}
    try:
        with current_app.connection_for_write(
            connect_timeout=PATIENCE_SECONDS, transport_options=timeouts
        ) as connection:
            TASKS[name].apply_async(connection=connection, retry=False)
    except Exception as error:
        logger.warning("worker_not_woken", extra={"job": name, "error": type(error).__name__})
