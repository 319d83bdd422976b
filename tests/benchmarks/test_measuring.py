from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.measuring import FEWEST_ROUNDS, SETTLING_CALLS, Contender, Effort, Spread, interleave


@pytest.fixture(autouse=True)
def _memory_of_other_tests() -> Iterator[None]:
    """Each turn collects garbage first; it need not look through what the rest of the suite holds."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_the_median_and_its_quartiles() -> None:
    assert Spread.of([5, 1, 4, 2, 3]) == Spread(median=3, low=2, high=4)


def test_one_sample_has_no_spread() -> None:
    assert Spread.of([7.5]) == Spread(7.5, 7.5, 7.5)


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="Nothing was measured"):
        Spread.of([])


def test_a_ratio_is_taken_round_by_round() -> None:
    """A slow round slows both sides; the ratio of the medians, 0.3 here, would not cancel it."""
    ours, theirs = [1.0, 40.0, 3.0], [2.0, 50.0, 10.0]
    assert Spread.of_ratios(ours, theirs).median == 0.5
    with pytest.raises(ValueError, match="shorter"):
        Spread.of_ratios(ours, theirs[:2])


class Diary:
    """Contenders that write down what happened to them."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.calls: list[str] = []
        self.cleaned: list[str] = []
        self.inside = ""

    def contender(self, name: str) -> Contender:
        @contextmanager
        def around() -> Iterator[None]:
            self.turns.append(name)
            self.inside = name
            yield
            self.inside = ""

        def call(argument: str) -> str:
            assert (self.inside, argument) == (name, name)
            self.calls.append(name)
            return name

        return Contender(name, call, lambda: name, clean_up=self.cleaned.extend, around=around)


def test_every_contender_has_a_turn_in_every_round_in_another_order() -> None:
    diary = Diary()
    contenders = [diary.contender(name) for name in "abc"]
    effort = Effort(rounds=20, turn_seconds=0, most_calls=5, least_calls=5)
    samples = interleave(contenders, effort, random.Random(1))
    assert {name: len(values) for name, values in samples.items()} == {"a": 20, "b": 20, "c": 20}
    warm_up = 2 * 3
    rounds = [diary.turns[n : n + 3] for n in range(warm_up, len(diary.turns), 3)]
    assert all(sorted(turns) == ["a", "b", "c"] for turns in rounds)
    assert len({tuple(turns) for turns in rounds}) > 1
    assert diary.cleaned == diary.calls
    assert len(diary.calls) == len(diary.turns) * (5 + SETTLING_CALLS)


def test_what_goes_on_beside_is_done_after_every_round() -> None:
    diary = Diary()
    effort = Effort(rounds=3, turn_seconds=0, most_calls=5, least_calls=5)
    contenders = [diary.contender(name) for name in "ab"]
    interleave(contenders, effort, random.Random(1), between=lambda: diary.turns.append("between"))
    assert [n for n, turn in enumerate(diary.turns) if turn == "between"] == [6, 9, 12]


def test_no_more_rounds_than_there_is_time_for() -> None:
    diary = Diary()
    effort = Effort(rounds=1000, turn_seconds=0, most_calls=5, least_calls=5, most_seconds=0)
    samples = interleave([diary.contender("slow")], effort, random.Random(1))
    assert len(samples["slow"]) == FEWEST_ROUNDS


def test_settling_calls_are_made_and_not_counted() -> None:
    lengths = iter([10**6] * SETTLING_CALLS + [0] * 2)

    def work(_: None) -> int:
        return sum(range(next(lengths)))

    assert Contender("warm", work, lambda: None).turn(2) < 1000


def test_as_many_calls_as_fill_a_turn() -> None:
    counted: list[int] = []
    contender = Contender("idle", lambda _: None, lambda: None, lambda results: counted.append(len(results)))
    interleave(
        [contender], Effort(rounds=1, turn_seconds=10, most_calls=300, least_calls=5), random.Random(1)
    )
    assert counted == [5 + SETTLING_CALLS, 5 + SETTLING_CALLS, 300 + SETTLING_CALLS]
