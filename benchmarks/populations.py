"""Part d: a thousand, a hundred thousand and a million users; what a request costs, and what a user weighs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

from django.conf import settings
from redis import Redis

from benchmarks import aims, calls, ours
from benchmarks.measuring import Contender, Effort
from benchmarks.others import Limits
from benchmarks.people import PLENTY, People, make_people, population
from benchmarks.report import Report

BATCH = 10_000


def measure(report: Report, effort: Effort, rng: random.Random, say: Callable[[str], None]) -> None:
    contenders: list[Contender] = []
    for name in settings.POPULATIONS:
        say(f"{int(name):,} users")
        began = monotonic()
        with population(name):
            people = make_people(int(name))
        limits = Limits(PLENTY, settings.POPULATIONS[name]["limits"])
        report.memory[f"{name}.limits"] = _weight(
            settings.POPULATIONS[name]["limits"], people, partial(load_limits, limits)
        )
        report.facts[f"{name}.load_seconds"] = monotonic() - began
        contenders += contenders_of(name, people, limits, rng)
    say("requests among them")
    calls.measure_group(report, contenders, effort, rng)
    report.ratios |= aims.memory_ratio(report.memory)


def contenders_of(name: str, people: People, limits: Limits, rng: random.Random) -> list[Contender]:
    def anybody() -> Any:
        return people.anybody(rng)

    return [
        Contender(f"{name}.limits", limits.hit, anybody),
        *(
            Contender(f"{name}.{store}", ours.reserve_and_commit, anybody, around=partial(_among, name, store))
            for store in ours.STORES
        ),
    ]


@contextmanager
def _among(name: str, store: str) -> Iterator[None]:
    with population(name), ours.on(store):
        yield


def load_limits(limits: Limits, client: Redis, ids: Sequence[int]) -> None:
    """One hit for each user by the script that `limits` itself runs."""
    storage: Any = limits.limiter.storage
    pipeline = client.pipeline(transaction=False)
    for pk in ids:
        key = storage.prefixed_key(limits.item.key_for("upload", str(pk)))
        storage.lua_incr_expire([key], [limits.item.get_expiry(), 1], client=pipeline)
    pipeline.execute()


def _weight(address: str, people: People, load: Callable[[Redis, Sequence[int]], None]) -> float:
    """Load everybody, and return the bytes that this took of the server's memory, per user."""
    with Redis.from_url(address) as client:
        before = _used_memory(client)
        for start in range(people.first, people.first + people.count, BATCH):
            load(client, range(start, min(start + BATCH, people.first + people.count)))
        return (_used_memory(client) - before) / people.count


def _used_memory(client: Redis) -> int:
    return int(client.info("memory")["used_memory_dataset"])
