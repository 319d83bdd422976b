"""Hands the mutants to the workers, each with the tests that are likely to notice it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import ForkRunner, MutantResult

from tests.mutation.worker import CRASH

# A function that every request passes has hundreds of tests. Those that reach the least besides come first, until so much time
# is planned for them.
TEST_SECONDS = float(os.environ.get("MUTATION_TEST_SECONDS", "30"))
SURVIVED, KILLED, TIMEOUT = 0, 1, 36  # mutmut's codes


class Worker:
    """A pytest of its own, tests.mutation.worker, that waits for orders."""

    def __init__(self, files: list[str]) -> None:
        self.connection, theirs = Pipe()
        with open("mutants/workers.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, "-m", "tests.mutation.worker", str(theirs.fileno()), *files],
                cwd="mutants",
                env={**os.environ, "MUTANT_UNDER_TEST": ""},
                pass_fds=[theirs.fileno()],
                stdout=log,
            )
        theirs.close()
        self.mutant = ""
        self.began = 0.0

    def take(self, mutant: str, tests: list[str], seconds: float) -> None:
        self.mutant, self.began = mutant, time.monotonic()
        self.connection.send((mutant, tests, seconds))

    def end(self) -> None:
        self.connection.close()  # it ends at that, and with it its servers
        self.process.wait()


class Timing(PytestRunner):
    """Runs each test once, to see what it reaches and how long it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: set[str] = set()

    def execute_pytest(self, params: list[str], **options: Any) -> int:
        kept = [parameter for parameter in params if parameter != "-x"]
        return int(super().execute_pytest(kept, plugins=[self, *options.pop("plugins", [])], **options))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


class WarmRunner(ForkRunner):
    """What mutmut asks of a runner. Tests are listed and timed as it does that by itself."""

    def __init__(self, max_workers: int = 1, *, functions: set[str]) -> None:
        """`functions` are those that are to be changed; it is filled until the workers start."""
        self._timing = Timing()
        self._functions = functions
        self._files: list[str] = []
        super().__init__(max_workers, self._timing)
        self._workers: list[Worker] = []
        self._nearness: dict[str, int] = defaultdict(int)
        self._killers: dict[str, list[str]] = defaultdict(list)

    def startup(self) -> None:
        for tests in state().tests_by_mangled_function_name.values():
            for test in tests:
                self._nearness[test] += 1
        reaching = (state().tests_by_mangled_function_name[function] for function in self._functions)
        self._files = sorted({test.partition("::")[0] for tests in reaching for test in tests})
        self._workers = [Worker(self._files) for _ in range(self.max_workers)]

    def collect_stats(self, tests: Iterable[str] | None) -> int:
        """A test that fails without a mutant takes no part: it reads the source, or this machine cannot run it."""
        super().collect_stats(tests)
        for reached in state().tests_by_mangled_function_name.values():
            reached -= self._timing.failed
        for test in sorted(self._timing.failed):
            sys.__stdout__.write(f"    left out: {test}\n")  # type: ignore[union-attr]
        return 0

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        return 0  # timing them was such a run

    def run_forced_fail(self) -> int:
        return int(PytestRunner().run_forced_fail())  # to the first that fails, which timing is not

    def submit(self, mutant_name: str, tests: list[str], cpu_time_limit: int, estimated_time: float) -> None:
        chosen = self._chosen(mangled_name_from_mutant_name(mutant_name), tests)
        seconds = 10 + 2 * sum(state().duration_by_test[test] for test in chosen)
        next(worker for worker in self._workers if not worker.mutant).take(mutant_name, chosen, seconds)

    def _chosen(self, function: str, tests: list[str]) -> list[str]:
        """Those that have noticed another mutant of the function first, then the nearest."""
        known = self._killers[function]
        near = sorted(tests, key=lambda test: (self._nearness[test], state().duration_by_test[test], test))
        chosen: list[str] = []
        planned = 0.0
        for test in near:
            planned += state().duration_by_test[test]
            if planned > TEST_SECONDS and chosen:
                break
            chosen.append(test)
        return list(dict.fromkeys([*known, *chosen]))

    def has_capacity(self) -> bool:
        return any(not worker.mutant for worker in self._workers)

    def wait_for_result(self, timeout: float | None = None) -> MutantResult:
        busy = [worker for worker in self._workers if worker.mutant]
        answered = wait([worker.connection for worker in busy])
        worker = next(worker for worker in busy if worker.connection in answered)
        try:
            killer: str | None = worker.connection.recv()
        except EOFError:  # the worker itself is gone
            killer = ""
        result = MutantResult(worker.mutant, self._code(worker, killer), time.monotonic() - worker.began)
        worker.mutant = ""
        return result

    def _code(self, worker: Worker, killer: str | None) -> int:
        if killer == "":
            worker.end()  # what was cut short may have left its servers in any state
            self._workers[self._workers.index(worker)] = Worker(self._files)
            return TIMEOUT
        if killer is None:
            return SURVIVED
        if killer == CRASH:
            return KILLED
        known = self._killers[mangled_name_from_mutant_name(worker.mutant)]
        known[:] = [killer, *(test for test in known if test != killer)][:5]
        return KILLED

    def pending_count(self) -> int:
        return sum(bool(worker.mutant) for worker in self._workers)

    def stop_all_workers(self) -> None:
        self.shutdown()

    def shutdown(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()
