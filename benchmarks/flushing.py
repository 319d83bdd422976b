"""Part e: moving the journal into rows, by the size of the batch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from time import perf_counter_ns

from django.contrib.auth.models import User

from benchmarks import ours
from benchmarks.measuring import Spread
from benchmarks.people import make_people
from benchmarks.report import Report
from benchmarks.shards import current_shards, encoded, flush_shard, shard_of

BATCHES = (10, 100, 1000)
USERS = 20_000
SHARD = 0


def measure(report: Report, rounds: int, rng: random.Random, say: Callable[[str], None]) -> None:
    say("flush")
    people = make_people(USERS)
    ids = [pk for pk in people.ids if shard_of(encoded(pk)) == SHARD]
    samples: dict[str, list[float]] = {f"flush.{size}": [] for size in BATCHES}
    with ours.on("redis"):
        ours.flush()
        users = _in_turn(ids, rng, people.person)
        for _ in ids:  # whose counters are in Redis already
            ours.count(next(users))
        ours.flush()
        for _ in range(rounds):
            for size in rng.sample(BATCHES, len(BATCHES)):
                samples[f"flush.{size}"].append(flush_batch(size, users))
    report.times |= {name: Spread.of(values) for name, values in samples.items()}


def flush_batch(size: int, users: Iterator[User]) -> float:
    """Fill one shard's journal, half of it with pairs of reserve and commit; return microseconds per entry."""
    for _ in range(size // 4):
        ours.reserve_and_commit(next(users))
    for _ in range(size - size // 4 * 2):
        ours.count(next(users))
    shard = current_shards()[SHARD]
    began = perf_counter_ns()
    moved = flush_shard(shard, size + 1)  # one more than there is, so that one batch is all
    took = perf_counter_ns() - began
    if moved != size:
        raise RuntimeError(f"{moved} entries were moved, and {size} were written.")
    return took / size / 1000


def _in_turn(ids: list[int], rng: random.Random, person: Callable[[int], User]) -> Iterator[User]:
    while True:
        yield from map(person, rng.sample(ids, len(ids)))
