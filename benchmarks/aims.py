"""What was set out to reach, each as a ratio of two figures of the same run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.measuring import Spread


@dataclass(frozen=True, slots=True)
class Aim:
    """`above` / `below` should be at most, below, or at least `bound`. Names are those of contenders."""

    key: str
    text: str
    above: str
    below: str
    bound: float
    kind: Literal["at most", "below", "at least"] = "at most"

    def is_met(self, ratio: float) -> bool:
        if self.kind == "at least":
            return ratio >= self.bound
        return ratio < self.bound if self.kind == "below" else ratio <= self.bound


MOST, LEAST = "1000000", "1000"

AIMS = (
    Aim(
        "redis_count",
        "Redis: a count with its journal, without a hold / a hit of `limits`",
        "redis.count",
        "limits.call",
        0.95,
    ),
    Aim(
        "redis_reserve",
        "Redis: a reserve with hold, expiry and journal / a hit of `limits`",
        "redis.reserve",
        "limits.call",
        0.95,
    ),
    Aim(
        "counted_view",
        "Redis: the view that counts at admission / the view under `limits`",
        "view.redis.counted",
        "view.limits",
        1.0,
    ),
    Aim(
        "two_phase_view",
        "Redis: the two-phase view / the view under `django-ratelimit`",
        "view.redis.two_phase",
        "view.ratelimit",
        1.0,
        "below",
    ),
    Aim(
        "database_pair",
        "Database: reserve and commit, the entitlement known / one conditional UPDATE through the ORM",
        "database.known",
        "bare.update_orm",
        2.0,
    ),
    Aim(
        "database_request",
        "Database: the same with the SELECT of the entitlement / one conditional UPDATE through the ORM",
        "database.reserve_commit",
        "bare.update_orm",
        2.0,
    ),
    Aim(
        "redis_flat",
        "Redis: a request among 1 million users / among 1 thousand",
        f"{MOST}.redis",
        f"{LEAST}.redis",
        1.08,
    ),
    Aim(
        "database_flat",
        "Database: a request among 1 million users / among 1 thousand",
        f"{MOST}.database",
        f"{LEAST}.database",
        1.08,
    ),
    Aim(
        "memory",
        "Redis: memory per user among 1 million / that of `limits`",
        f"{MOST}.redis",
        f"{MOST}.limits",
        1.5,
    ),
    Aim("redis_refusal", "Redis: a refusal / an admission", "redis.refuse", "redis.reserve", 1.0, "below"),
    Aim(
        "database_refusal",
        "Database: a refusal / an admission",
        "database.refuse",
        "database.reserve",
        1.0,
        "below",
    ),
    Aim(
        "receipt_floor",
        "Webhook receipt / signature and one INSERT",
        "receipt.ours",
        "receipt.floor",
        1.5,
    ),
    Aim(
        "receipt_djstripe",
        "dj-stripe's webhook view / webhook receipt",
        "receipt.djstripe",
        "receipt.ours",
        25,
        "at least",
    ),
)
IN_MEMORY = "memory"


def ratios(samples: Mapping[str, list[float]]) -> dict[str, Spread]:
    """Of every aim about time whose two sides were measured together."""
    return {
        aim.key: Spread.of_ratios(samples[aim.above], samples[aim.below])
        for aim in AIMS
        if aim.key != IN_MEMORY and aim.above in samples and aim.below in samples
    }


def memory_ratio(memory: Mapping[str, float]) -> dict[str, Spread]:
    [aim] = (aim for aim in AIMS if aim.key == IN_MEMORY)
    if aim.above not in memory or aim.below not in memory:
        return {}
    return {aim.key: Spread.of([memory[aim.above] / memory[aim.below]])}
