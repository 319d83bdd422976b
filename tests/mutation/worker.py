"""A pytest that collects, starts what lasts a session, and then forks for each mutant that it is handed."""

from __future__ import annotations

import gc
import os
import signal
import sys
from functools import _lru_cache_wrapper
from multiprocessing.connection import Connection
from typing import Any

import pytest
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test

PACKAGE = "django_videoq_billing."
CRASH = "crash"  # instead of a test: the process has died of the mutant
WALL_FACTOR = 10  # how much slower than its own seconds a busy machine may make it
LASTING = ("db", "redis_url", "cluster_port", "sandbox_process")


class Mutants:
    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        self._failed = False
        self._caches: list[_lru_cache_wrapper[Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for name in LASTING:
            users = (item for item in session.items if name in getattr(item, "fixturenames", ()))
            if (first := next(users, None)) and self._run(first, session):
                pytest.exit(f"{first.nodeid} fails without a mutant.", returncode=1)
        self._caches = [
            found
            for found in gc.get_objects()
            if type(found) is _lru_cache_wrapper and str(found.__module__).startswith(PACKAGE)
        ]
        gc.freeze()
        while order := self._next():
            mutant, tests, seconds = order
            self._orders.send(self._killer(mutant, [items[test] for test in tests], seconds, session))
        return True

    def _next(self) -> Any:
        try:
            return self._orders.recv()
        except EOFError:
            return None

    def _run(self, item: pytest.Item, following: pytest.Item | pytest.Session) -> bool:
        """Whether it has failed. What lasts a session is kept, as the session itself is said to follow."""
        self._failed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return self._failed

    def _killer(
        self, mutant: str, items: list[pytest.Item], seconds: float, session: pytest.Session
    ) -> str | None:
        """The test that notices the mutant; "" when they took too long, None when none of them does."""
        answer, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            signal.setitimer(
                signal.ITIMER_PROF, seconds
            )  # nobody handles these signals: they end the process
            signal.setitimer(signal.ITIMER_REAL, WALL_FACTOR * seconds)
            self._try(mutant, items, session, theirs)
        os.close(theirs)
        with os.fdopen(answer) as lines:
            killer = lines.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code in (-signal.SIGPROF, -signal.SIGALRM):
            kill_group(child)
            return ""
        return killer or (None if code == 0 else CRASH)

    def _try(self, mutant: str, items: list[pytest.Item], session: pytest.Session, answer: int) -> None:
        code = 1
        try:
            set_mutant_under_test(mutant)
            for cached in self._caches:
                cached.cache_clear()  # what the warm-up has worked out may be what the mutant changes
            followers: list[pytest.Item | pytest.Session] = [*items[1:], session]
            for item, following in zip(items, followers, strict=True):
                if self._run(item, following):
                    os.write(answer, item.nodeid.encode())
                    break
            code = 0
        finally:
            os._exit(code)


def kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def main() -> None:
    orders, *files = sys.argv[1:]
    quiet = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--rootdir=."]
    pytest.main([*quiet, *config().pytest_add_cli_args, *files], plugins=[Mutants(Connection(int(orders)))])


if __name__ == "__main__":
    main()
