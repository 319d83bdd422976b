"""Timing, interleaved: every contender has its turn in every round, so that ratios are taken between neighbours."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import inf
from statistics import median, quantiles
from time import monotonic, perf_counter_ns
from typing import Any

SETTLING_CALLS = 3
FEWEST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Iterable[float]) -> Spread:
        values = list(samples)
        if not values:
            raise ValueError("Nothing was measured.")
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)

    @classmethod
    def of_ratios(cls, above: Sequence[float], below: Sequence[float]) -> Spread:
        """Of above / below, round by round: what disturbs a whole round disturbs both, and cancels out."""
        return cls.of(a / b for a, b in zip(above, below, strict=True))

    @classmethod
    def of_differences(cls, above: Sequence[float], below: Sequence[float]) -> Spread:
        return cls.of(a - b for a, b in zip(above, below, strict=True))


@dataclass(frozen=True, slots=True)
class Contender:
    """One operation that is timed. Only `call` is; what it is given and what it leaves behind is not.

    `around` is entered for each turn: settings that are its own.
    """

    name: str
    call: Callable[[Any], Any]
    prepare: Callable[[], Any]
    clean_up: Callable[[list[Any]], None] = lambda results: None
    around: Callable[[], AbstractContextManager[Any]] = nullcontext

    def turn(self, calls: int) -> float:
        """The median of so many calls in microseconds, after a few that are not counted."""
        call, took, results = self.call, [], []
        with self.around():
            arguments = [self.prepare() for _ in range(calls + SETTLING_CALLS)]
            gc.collect()
            gc.disable()
            try:
                for argument in arguments:
                    began = perf_counter_ns()
                    result = call(argument)
                    took.append(perf_counter_ns() - began)
                    results.append(result)
            finally:
                gc.enable()
            self.clean_up(results)
        return median(took[SETTLING_CALLS:]) / 1000


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a measurement may take: rounds of turns of about `turn_seconds` each, as many as there is time for."""

    rounds: int
    turn_seconds: float
    most_calls: int = 500
    least_calls: int = 5
    most_seconds: float = inf


def interleave(
    contenders: Sequence[Contender],
    effort: Effort,
    rng: random.Random,
    between: Callable[[], None] = lambda: None,
) -> Mapping[str, list[float]]:
    """Return for each contender one median per round; in each round they come in another order.

    `between` is what goes on beside the calls all the time, and must not be waited for: done after each round.
    """
    calls = {contender.name: _calls(contender, effort) for contender in contenders}
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    end = monotonic() + effort.most_seconds
    for n in range(effort.rounds):
        if n >= FEWEST_ROUNDS and monotonic() > end:
            break
        for contender in rng.sample(contenders, len(contenders)):
            samples[contender.name].append(contender.turn(calls[contender.name]))
        between()
    return samples


def _calls(contender: Contender, effort: Effort) -> int:
    """How many calls fill a turn; asking warms everything up."""
    contender.turn(effort.least_calls)
    microseconds = contender.turn(effort.least_calls)
    wanted = int(effort.turn_seconds * 1e6 / microseconds)
    return min(max(wanted, effort.least_calls), effort.most_calls)
