"""What one run found, in numbers alone; `page` puts it into words and `plot` into a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measuring import Spread

ONE_CORE = "client and servers on one core"
ANY_CORE = "client and servers where the system puts them"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one request costs the servers."""

    sql: float
    redis: float


@dataclass(frozen=True, slots=True)
class Race:
    """Threads that ask for more than a limit of `limit` allows: how many got in, and how many were counted."""

    limit: int
    attempts: int
    admitted: tuple[int, int]
    recorded: tuple[int, int]


@dataclass(slots=True)
class Report:
    """`times` are microseconds, `memory` bytes per user, each by a contender's key; `ratios` by an aim's."""

    machine: dict[str, str] = field(default_factory=dict)
    times: dict[str, Spread] = field(default_factory=dict)
    ratios: dict[str, Spread] = field(default_factory=dict)
    traffic: dict[str, Traffic] = field(default_factory=dict)
    races: dict[str, Race] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    def add_times(self, samples: Mapping[str, Sequence[float]]) -> None:
        self.times |= {name: Spread.of(values) for name, values in samples.items()}

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            machine=stored["machine"],
            times={name: Spread(**value) for name, value in stored["times"].items()},
            ratios={name: Spread(**value) for name, value in stored["ratios"].items()},
            traffic={name: Traffic(**value) for name, value in stored["traffic"].items()},
            races={
                name: Race(
                    value["limit"], value["attempts"], tuple(value["admitted"]), tuple(value["recorded"])
                )
                for name, value in stored["races"].items()
            },
            memory=stored["memory"],
            facts=stored["facts"],
        )


def _rounded(value: Any) -> Any:
    """Four digits say more than enough."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
