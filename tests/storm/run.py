"""One run: the processes are started, die, and end; then the books are compared."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from tests.storm import ledger
from tests.storm.nursery import Child, Nursery
from tests.storm.verdict import Row, Verdict
from tests.storm.weather import Servers

FAULTS = ("valkey", "postgres", "flusher", "worker", "network")
LIMIT = {"database": 4, "redis": 30}
"""Reached by most users within seconds, at the pace of each store."""

DIED_BY_ITSELF, KILLED = 9, -9


class Run:
    def __init__(
        self, given: argparse.Namespace, servers: Servers, store: str, seed: int, folder: Path
    ) -> None:
        self._given, self._servers, self._store, self._seed, self._folder = (
            given,
            servers,
            store,
            seed,
            folder,
        )
        self._dice = random.Random(f"weather {seed}")  # noqa: S311 (a repeatable storm, no secret)
        self._numbers = count()
        self._workers: list[Child] = []
        self._flushers: list[Child] = []
        self._until = 0
        self._died_by_themselves = 0
        self._limit: int = given.limit or LIMIT[store]
        self._happened: list[str] = []
        self._env = {
            **os.environ,
            "DATABASE_URL": servers.database_url,
            "STORM_REDIS": servers.redis_url,
            "STORM_PATIENCE": "1" if given.faults else "20",  # a busy machine is no fault
            "STORM_BILLING": json.dumps(
                {
                    "USAGE_STORE": store,
                    "USAGE_REDIS_AWAY": given.away,
                    "USAGE_DURABILITY": given.durability,
                    "USAGE_REDIS_ALIAS": "usage",
                    "RESERVATION_SECONDS": 3600,
                }
            ),
            "DJANGO_SETTINGS_MODULE": "tests.storm.settings",
        }

    def play(self) -> int:
        """Returns how much does not add up; says so on the way."""
        self._folder.mkdir()
        self._servers.psql("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        self._servers.empty_valkey()
        self._books("prepare", str(self._given.users), str(self._limit))
        self._nursery = Nursery(self._env)
        self._nursery.start("first", "--seed", "0", "--until", "0", "--folder", str(self._folder)).wait()
        self._until = time.monotonic_ns() + int(self._given.seconds * 1e9)
        self._workers = [self._worker() for _ in range(self._given.processes)]
        self._flushers = [self._flusher() for _ in range(2)]
        while time.monotonic_ns() < self._until:
            self._wait(self._dice.uniform(1, 2.5))  # a site that is away for good shows nothing
            if self._given.faults:
                self._strike(self._dice.choice(self._given.faults))
        for child in (*self._workers, *self._flushers):
            self._see_off(child)
        self._nursery.close()
        return self._judge()

    def _strike(self, fault: str) -> None:
        self._happened.append(fault)
        match fault:
            case "valkey":
                self._servers.kill_valkey()
                self._wait(self._dice.uniform(0, 0.5))
                self._servers.bring_valkey_back()
            case "postgres":
                self._servers.kill_postgres()
                self._wait(self._dice.uniform(0, 0.3))
                self._servers.bring_postgres_back()
            case "network":
                self._dice.choice([self._servers.network.cut, self._servers.network.silence])()
                self._wait(self._dice.uniform(0, 1))
                self._servers.network.heal()
            case "flusher":
                self._kill_one(self._flushers, self._flusher)
            case "worker":
                self._kill_one(self._workers, self._worker)

    def _kill_one(self, among: list[Child], start: Callable[[], Child]) -> None:
        number = self._dice.randrange(len(among))
        among[number].kill()
        self._see_off(among[number])
        among[number] = start()

    def _wait(self, seconds: float) -> None:
        """Let the storm go on, and see to it that nobody has left it with an error."""
        end = min(time.monotonic_ns() + int(seconds * 1e9), self._until)
        while time.monotonic_ns() < end:
            for number, child in enumerate(self._workers):
                if child.status() is not None and time.monotonic_ns() < self._until:
                    self._see_off(child)
                    self._workers[number] = self._worker()
            time.sleep(0.02)

    def _see_off(self, child: Child) -> None:
        status = child.wait()
        self._died_by_themselves += status == DIED_BY_ITSELF
        if status not in (0, DIED_BY_ITSELF, KILLED):
            errors = (self._folder / f"{child.name}.err").read_text()
            raise SystemExit(f"{errors}\n{child.name} ended with status {status}")

    def _worker(self) -> Child:
        return self._start(f"w{next(self._numbers)}", "--threads", str(self._given.threads))

    def _flusher(self) -> Child:
        return self._start(f"f{next(self._numbers)}", "--flush")

    def _start(self, name: str, *options: str) -> Child:
        given = ["--seed", str(self._seed), "--until", str(self._until), "--folder", str(self._folder)]
        return self._nursery.start(name, *given, *options)

    def _books(self, *command: str) -> str:
        """The parent's view of the site is a process of its own, with the site's settings."""
        arguments = [sys.executable, "-m", "tests.storm.books", *command]
        done = subprocess.run(arguments, env=self._env, capture_output=True, text=True, timeout=240)  # noqa: S603
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    def _judge(self) -> int:
        books = json.loads(self._books("close", str(self._limit)))
        rows = {key: Row(**row) for key, row in books["rows"].items()}
        counted = {int(user): number for user, number in books["counted"].items()}
        strict = self._store == "database" or self._given.away == "refuse"
        verdict = Verdict(ledger.read(self._folder), self._limit, strict=strict)
        complaints = [*books["complaints"], *verdict.complaints(rows, counted, books["users"])]
        faults = {fault: self._happened.count(fault) for fault in FAULTS if fault in self._happened}
        print(
            f"{self._store} seed {self._seed}: {dict(sorted(verdict.kinds.items()))}, {len(verdict.holds)} holds, "
            f"{verdict.unsure} answers lost, {faults or 'no faults'}: {len(complaints)} complaints",
            flush=True,
        )
        if not self._given.faults and verdict.unsure > self._dead_threads():
            complaints.append(f"{verdict.unsure} calls without an answer, and no faults")
        for complaint in complaints[:20]:
            print("  ", complaint, flush=True)
        return len(complaints)

    def _dead_threads(self) -> int:
        """Of workers that died by themselves: each of their threads may have been waiting for an answer."""
        return int(self._died_by_themselves * self._given.threads)
