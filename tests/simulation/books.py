"""What the driver of the simulation was told, on paper: the truth that the database is compared with."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Whose = tuple[int, str, datetime]
"""A user, a metric and the start of a period."""


@dataclass
class Use:
    """An upload or a transcription that was admitted and is not settled yet."""

    whose: Whose
    hold: Any
    expires_at: datetime
    limit: int | None
    step: int


@dataclass(frozen=True)
class Reached:
    """Where settled usage stood, beside the limit that it was admitted under."""

    used: int
    limit: int
    at_once: bool
    """Settled in the step in which it was admitted: nothing else can have happened in between."""


@dataclass(frozen=True)
class Told:
    """What a user said, or was not answered, while Valkey was away."""

    user: int
    whose: Whose | None = None
    beyond: int = 0
    """What a commit counts beyond what was held for it."""


@dataclass
class Books:
    settled: Counter[Whose] = field(default_factory=Counter)
    open: list[Use] = field(default_factory=list)
    reached: dict[Whose, list[Reached]] = field(default_factory=lambda: defaultdict(list))
    told: list[Told] = field(default_factory=list)
    """It makes room, and counts beyond what was held, from the next flush on, not before."""
    accepted: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Changes that were carried out, by user and kind of e-mail."""
    unsure: Counter[int] = field(default_factory=Counter)
    """Moves of a user that ended in an outage: done, half done or not done."""
    happened: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def held(self, whose: Whose, now: datetime) -> int:
        """What holds take away that nobody may give back yet."""
        mine = (use for use in self.open if use.whose == whose and use.expires_at > now)
        return sum(use.hold.reservation.amount for use in mine)

    def tell(self, use: Use, amount: int, now: datetime) -> None:
        """It is settled with this amount while Valkey is away."""
        held = use.hold.reservation.amount if use.expires_at > now else 0
        self.told.append(Told(use.whose[0], use.whose, max(0, amount - held)))

    def has_told(self, user: int) -> bool:
        return any(told.user == user for told in self.told)

    def to_come(self, whose: Whose) -> int:
        return sum(told.beyond for told in self.told if told.whose == whose)

    def settle(self, use: Use, amount: int, step: int) -> None:
        self.open.remove(use)
        self.settled[use.whose] += amount
        if use.limit is not None and amount:
            at_once = use.step == step
            self.reached[use.whose].append(Reached(self.settled[use.whose], use.limit, at_once))
