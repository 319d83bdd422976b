"""Part c, exactness: eight threads ask for more than the limit allows; how many get in, and how many count?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Barrier
from typing import Any

from django.db import connections
from django.http import HttpRequest
from django.test import RequestFactory

from benchmarks import ours, seed_sample
from benchmarks.calls import request_of
from benchmarks.others import Limits, Ratelimit, Throttle, View, upload
from benchmarks.people import People, make_people
from benchmarks.report import Race, Report

LIMIT = 100
THREADS = 8
EACH = 50


@dataclass(frozen=True, slots=True)
class Racer:
    name: str
    is_admitted: Callable[[HttpRequest], bool]
    recorded: Callable[[HttpRequest], int]
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


def measure(report: Report, repetitions: int, say: Callable[[str], None]) -> None:
    say("races")
    racers = all_racers()
    people = make_people(repetitions * len(racers), video_limit=LIMIT)
    results: dict[str, list[tuple[int, int]]] = {racer.name: [] for racer in racers}
    for n in range(repetitions * len(racers)):
        racer = racers[n % len(racers)]
        with racer.around():
            results[racer.name].append(run(racer, people, people.first + n))
    for name, found in results.items():
        admitted, recorded = zip(*found, strict=True)
        report.races[name] = Race(
            LIMIT, THREADS * EACH, (min(admitted), max(admitted)), (min(recorded), max(recorded))
        )


def run(racer: Racer, people: People, pk: int) -> tuple[int, int]:
    """Return how many were admitted, and how many the library says there were."""
    factory, barrier = RequestFactory(), Barrier(THREADS)

    def ask() -> int:
        requests = [request_of(factory, people.person(pk)) for _ in range(EACH)]
        try:
            barrier.wait()
            return sum(racer.is_admitted(request) for request in requests)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        tasks = [threads.submit(ask) for _ in range(THREADS)]
        admitted = sum(task.result() for task in tasks)
    return admitted, racer.recorded(request_of(factory, people.person(pk)))


def all_racers() -> list[Racer]:
    limits, ratelimit, throttle = Limits(LIMIT), Ratelimit(LIMIT), Throttle(LIMIT)
    return [
        *(
            Racer(store, answers(ours.two_phase_view()), ours.recorded, partial(ours.on, store))
            for store in ours.STORES
        ),
        Racer("seed", answers(seed_sample.view(upload)), seed_sample.recorded),
        Racer("limits", answers(limits.view(upload)), lambda request: limits.recorded(request.user)),  # type: ignore[arg-type]
        Racer("ratelimit", partial(Ratelimit.answer, ratelimit.view(upload)), ratelimit.recorded),
        Racer("throttle", answers(throttle.view), throttle.recorded),
    ]


def answers(view: View) -> Callable[[HttpRequest], bool]:
    return lambda request: ours.is_admitted(view(request))
