"""The one scheduler: what is due when is read off the records themselves, never stored beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django_videoq_billing.sandbox.store import Record

if TYPE_CHECKING:
    from django_videoq_billing.sandbox.box import Sandbox


@dataclass(frozen=True)
class Duty:
    """`when` says at what time a record wants attention next; `act` gives it."""

    rank: int
    when: Callable[[Record], int | None]
    act: Callable[[Sandbox, Record], None]


class Entry(NamedTuple):
    at: int
    rank: int
    number: int
    kind: str
    key: str


class Agenda:
    def __init__(self, duties: Mapping[str, Duty], now: Callable[[], int]) -> None:
        self.duties = duties
        self.now = now
        self.entries: dict[str, Entry] = {}
        self.numbers: dict[str, int] = {}

    def note(self, record: Record, *, overdue: bool = False) -> None:
        """Take up a record's next moment. What is long due happens now, not in the past (unless `overdue`)."""
        duty = self.duties.get(record["object"])
        if duty is None:
            return
        key = record["id"]
        when = duty.when(record)
        if when is None:
            self.entries.pop(key, None)
            return
        number = self.numbers.setdefault(key, len(self.numbers))
        at = when if overdue else max(when, self.now())
        self.entries[key] = Entry(at, duty.rank, number, record["object"], key)

    def run(self, box: Sandbox, until: int) -> Iterator[int]:
        """Do everything due up to `until` in order, each at its own time; yields that time after each step."""
        while (entry := min(self.entries.values(), default=None)) and entry.at <= until:
            del self.entries[entry.key]
            record = box.store.get(entry.kind, entry.key)
            if record is None:
                continue
            with box.clock.at(entry.at), box.on_its_own():
                before = record.copy()
                self.duties[entry.kind].act(box, record)
                self.note(record)
            if entry.key in self.entries and self.entries[entry.key] == entry and before == record:
                raise RuntimeError(f"{entry.key} stays due at {entry.at}")
            yield entry.at
