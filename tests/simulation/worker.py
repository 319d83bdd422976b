"""Workers of the site: processes that run what is due when they are told to, until they are killed.

They are forked from one process that has loaded the site (`preload`), so that a killed one is soon replaced.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection

PATIENCE = 300.0
AT_ONCE = ("process_webhooks", "send_notifications")


def work(orders: Connection) -> None:
    """Carry out orders: a moment and what to leave out, then wake-ups, until None asks for what was done."""
    done: list[str] = []
    with suppress(EOFError):
        while True:
            order = orders.recv()
            if order is None:
                orders.send(done)
                done = []
                continue
            try:
                done += _carry_out(*order)
            except BaseException:
                orders.send(traceback.format_exc())
                raise


def _carry_out(now: datetime, left_out: Collection[str] | None) -> list[str]:
    """Run what is due, or, as Celery is told to where something has come in, what is never to wait."""
    import time_machine

    from django_videoq_billing.jobs import JOBS, due_jobs, run_job

    with time_machine.travel(now, tick=False):
        if left_out is None:
            jobs = [JOBS[name] for name in AT_ONCE]
        else:
            jobs = due_jobs(job for job in JOBS.values() if job.name not in left_out)
        return [job.name for job in jobs if run_job(job) is not None]


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
        """Have it run what is due, without these jobs."""
        self._line.send((now, tuple(left_out)))
        self._is_busy = True

    def wake(self, now: datetime) -> None:
        """Tell it that something has come in, unless it was killed and waits for the next order."""
        if self._is_busy:
            self._line.send((now, None))

    def end(self) -> list[str]:
        """Wait for it to finish; returns the names of the jobs that it ran, none where it was killed."""
        if not self._is_busy:
            return []
        self._is_busy = False
        self._line.send(None)
        if not self._line.poll(PATIENCE):
            raise SystemExit("A worker does not come to an end.")
        answer = self._line.recv()
        if isinstance(answer, str):
            raise SystemExit(f"A worker has stumbled:\n{answer}")
        return list(answer)

    def kill(self) -> None:
        """SIGKILL, and another in its place."""
        self.stop()
        self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._line.close()
