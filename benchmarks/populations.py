"""Part d: a thousand, a hundred thousand and a million users; what a request costs, and what a user weighs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

from redis import Redis

from benchmarks import aims, calls, ours, settings
from benchmarks.measuring import Contender, Effort
from benchmarks.others import Limits
from benchmarks.people import PLENTY, People, make_people, population
from benchmarks.report import Report
from benchmarks.shards import current_shards, encoded, shard_of
from django_videoq_billing.usage import get_store

BATCH = 10_000


def measure(report: Report, effort: Effort, rng: random.Random, say: Callable[[str], None]) -> None:
    contenders: list[Contender] = []
    for name in settings.POPULATIONS:
        say(f"{int(name):,} users")
        began = monotonic()
        with population(name):
            people = make_people(int(name))
        addresses = settings.POPULATIONS[name]
        limits = Limits(PLENTY, addresses["limits"])
        report.memory[f"{name}.limits"] = _weight(addresses["limits"], people, partial(load_limits, limits))
        with _among(name, "redis"):
            report.memory[f"{name}.redis"] = _weight(addresses["redis"], people, Loader(people))
        report.facts[f"{name}.load_seconds"] = monotonic() - began
        contenders += contenders_of(name, people, limits, rng)
    say("requests among them")
    calls.measure_group(report, contenders, effort, rng, _flush_all)
    report.ratios |= aims.memory_ratio(report.memory)


def contenders_of(name: str, people: People, limits: Limits, rng: random.Random) -> list[Contender]:
    def anybody() -> Any:
        return people.anybody(rng)

    return [
        Contender(f"{name}.limits", limits.hit, anybody),
        *(
            Contender(
                f"{name}.{store}", ours.reserve_and_commit, anybody, around=partial(_among, name, store)
            )
            for store in ours.STORES
        ),
    ]


@contextmanager
def _among(name: str, store: str) -> Iterator[None]:
    with population(name), ours.on(store, alias=name):
        yield


def _flush_all() -> None:
    for name in settings.POPULATIONS:
        with population(name):
            ours.flush(alias=name)


def load_limits(limits: Limits, client: Redis, ids: Sequence[int]) -> None:
    """One hit for each user by the script that `limits` itself runs."""
    storage: Any = limits.limiter.storage
    pipeline = client.pipeline(transaction=False)
    for pk in ids:
        key = storage.prefixed_key(limits.item.key_for("upload", str(pk)))
        storage.lua_incr_expire([key], [limits.item.get_expiry(), 1], client=pipeline)
    pipeline.execute()


class Loader:
    """Has the store make the hash of one user of each shard, and copies it to the others: all have used one video."""

    def __init__(self, people: People) -> None:
        self.shards = current_shards()
        self.models: dict[int, bytes] = {}
        for pk in people.ids:
            if len(self.models) == len(self.shards):
                break
            shard = self.shards[shard_of(encoded(pk))]
            if shard.number not in self.models:
                ours.count(people.person(pk))
                self.models[shard.number] = shard.keys.user + encoded(pk)
        get_store().flush()

    def __call__(self, client: Redis, ids: Sequence[int]) -> None:
        pipeline: Any = client.pipeline(transaction=False)
        for pk in ids:
            shard = self.shards[shard_of(encoded(pk))]
            key, model = shard.keys.user + encoded(pk), self.models[shard.number]
            if key != model:
                pipeline.execute_command("COPY", model, key)
        pipeline.execute()


def _weight(address: str, people: People, load: Callable[[Redis, Sequence[int]], None]) -> float:
    """Load everybody, and return the bytes that this took of the server's memory, per user."""
    with Redis.from_url(address) as client:
        before = _used_memory(client)
        for start in range(0, people.count, BATCH):
            load(client, people.ids[start : start + BATCH])
        return (_used_memory(client) - before) / people.count


def _used_memory(client: Redis) -> int:
    return int(client.info("memory")["used_memory"])
