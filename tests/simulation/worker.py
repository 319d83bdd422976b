"""Workers of the site: processes that run what is due when they are told to, until they are killed.

They are forked from one process that has loaded the site (`preload`), so that a killed one is soon replaced.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Collection
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

PATIENCE = 300.0


def work(orders: Connection) -> None:
    """Run every job that is due at the moment of an order; answer with their names, or with what went wrong."""
    import time_machine
    from django.db import connection

    while True:
        try:
            now, left_out = orders.recv()
        except EOFError:
            return
        answer: Any
        try:
            with time_machine.travel(now, tick=False):
                answer = _run_what_is_due(left_out)
        except BaseException:
            answer = traceback.format_exc()
        finally:
            connection.close()
        orders.send(answer)


def _run_what_is_due(left_out: Collection[str]) -> list[str]:
    from django_videoq_billing.jobs import JOBS, due_jobs, run_job

    due = due_jobs(job for job in JOBS.values() if job.name not in left_out)
    return [job.name for job in due if run_job(job) is not None]


class Worker:
    """One of them, as the simulation sees it."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.simulation.preload"])
        self._start()

    def _start(self) -> None:
        self._line, theirs = self._context.Pipe()
        self._process = self._context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._is_busy = False

    def begin(self, now: datetime, left_out: Collection[str] = ()) -> None:
        self._line.send((now, tuple(left_out)))
        self._is_busy = True

    def end(self) -> list[str]:
        """Wait for it to finish; returns the names of the jobs that it ran, none where it was killed."""
        if not self._is_busy:
            return []
        if not self._line.poll(PATIENCE):
            raise SystemExit("A worker does not come to an end.")
        answer = self._line.recv()
        if isinstance(answer, str):
            raise SystemExit(f"A worker has stumbled:\n{answer}")
        self._is_busy = False
        return list(answer)

    def kill(self) -> bool:
        """SIGKILL, and another in its place; False where it had finished already."""
        if not self._is_busy or self._line.poll():
            return False
        self.stop()
        self._start()
        return True

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._line.close()
