"""Entries of the journal, and what a batch of them means for the rows. Nothing here reads or writes anything."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django_videoq_billing.models import UsageReservation
from django_videoq_billing.types import Metric, ReservationState
from django_videoq_billing.usage.redis_store.keys import CODE, METRIC, encoded, moment, shard_of_hold

logger = logging.getLogger("django_videoq_billing")

MAY_BECOME: Mapping[str, tuple[str, ...]] = {
    ReservationState.HELD: (ReservationState.COMMITTED, ReservationState.RELEASED, ReservationState.EXPIRED),
    ReservationState.EXPIRED: (ReservationState.COMMITTED,),
}

Fields = Mapping[str, str]
RecordKey = tuple[str, datetime]
"""The user, as the journal writes it, and the start of the period."""


LINES: Mapping[str, tuple[str, ...]] = {
    "c": ("u", "m", "n", "d", "i"),
    "h": ("u", "m", "n", "d", "h", "x", "y"),
    "z": ("u", "m", "n", "d", "h", "z", "f"),
    "o": ("u", "e", "V", "A"),
}
"""What the lines of an entry are, by its kind; lua/common.lua says what the letters mean."""


def decoded(entries: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> list[tuple[str, Fields]]:
    return [(entry_id.decode(), _fields(values)) for entry_id, values in entries]


def _fields(values: Mapping[bytes, bytes]) -> Fields:
    (kind, lines), *rest = values.items()
    letters = LINES.get(name := kind.decode(), ())
    fields = dict(zip(letters, lines.decode().split("\n"), strict=False))
    return {"k": name, **fields, **{letter.decode(): value.decode() for letter, value in rest}}


def position(entry_id: str) -> tuple[int, int]:
    """An entry's place in the order of the journal."""
    milliseconds, sequence = entry_id.split("-")
    return int(milliseconds), int(sequence)


def record_key(entry: Fields) -> RecordKey:
    return entry["u"], moment(int(entry["s"]))


def limit(value: str) -> int | None:
    return int(value) if value else None


def opening(entry: Fields) -> dict[str, Any]:
    """What a record is made with, or changed to when the limits have changed."""
    return {
        "billing_period_end": moment(int(entry["e"])),
        "video_limit": limit(entry["V"]),
        "transcription_limit_seconds": limit(entry["A"]),
    }


@dataclass
class Change:
    """What a batch does to one record."""

    differences: defaultdict[Metric, list[int]] = field(default_factory=lambda: defaultdict(list))
    last_used: dict[Metric, datetime] = field(default_factory=dict)

    def applied_to(self, counter: int, metric: Metric) -> int:
        """One after the other, as Redis did: an operator may have set the counter back in between."""
        for difference in self.differences[metric]:
            counter = max(counter + difference, 0)
        return counter


class Batch:
    """Replays entries, in their order, on the holds as the database has them.

    The database's own row decides about a hold: an outcome that contradicts it (it was settled there while
    Redis was away) is left out, and the user's counters in Redis are to be rebuilt.
    """

    def __init__(self, holds: Mapping[str, UsageReservation]) -> None:
        self.holds = dict(holds)
        self.changes: defaultdict[RecordKey, Change] = defaultdict(Change)
        self.opened: dict[str, RecordKey] = {}
        self.touched: set[str] = set()
        self.settled: set[str] = set()
        self.contradicted: set[str] = set()
        self._keys: dict[tuple[str, str, str], str] = {
            (encoded(hold.user_id).decode(), CODE[Metric(hold.metric)].decode(), hold.key): hold_id
            for hold_id, hold in holds.items()
            if hold.key
            and shard_of_hold(hold.pk) is not None  # the database's own: _leave_keys_to_the_database
        }

    def replay(self, entries: Iterable[Fields]) -> None:
        for entry in entries:
            match entry["k"]:
                case "c":
                    self._count(entry, int(entry["d"]))
                case "h":
                    self._hold(entry)
                case "z":
                    self._settle(entry)

    def _count(self, entry: Fields, difference: int) -> None:
        change, metric = self.changes[record_key(entry)], METRIC[entry["m"]]
        change.differences[metric].append(difference)
        change.last_used[metric] = moment(int(entry["n"]))

    def _hold(self, entry: Fields) -> None:
        hold_id, key = entry["h"], entry["y"]
        if key:
            earlier = self._keys.get((entry["u"], entry["m"], key))
            if earlier:
                self.holds[earlier].key = None
            self._keys[entry["u"], entry["m"], key] = hold_id
        self.holds[hold_id] = UsageReservation(
            id=UUID(hold_id),
            metric=METRIC[entry["m"]],
            amount=int(entry["d"]),
            key=key or None,
            expires_at=moment(int(entry["x"])),
        )
        self.opened[hold_id] = record_key(entry)
        self.touched.add(hold_id)
        self._count(entry, int(entry["d"]))

    def _settle(self, entry: Fields) -> None:
        hold_id, state, final = entry["h"], entry["z"], int(entry["f"])
        self.settled.add(hold_id)
        hold = self.holds.get(hold_id)
        if hold is None:
            logger.error("usage_hold_unknown", extra={"hold": hold_id, "state": state})
            self.contradicted.add(entry["u"])
            return
        if state not in MAY_BECOME.get(hold.state, ()):
            self.contradicted.add(entry["u"])
            return
        counted = hold.amount if hold.state == ReservationState.HELD else 0
        self._count(entry, final - counted)
        if final - counted != int(entry["d"]):
            self.contradicted.add(entry["u"])
        hold.state, hold.settled_amount, hold.settled_at = state, final, moment(int(entry["n"]))
        if state != ReservationState.COMMITTED:
            hold.key = None
        self.touched.add(hold_id)
