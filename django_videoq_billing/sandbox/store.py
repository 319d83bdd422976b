"""The one storage: every Stripe object as a JSON record, in creation order.

A record has exactly the fields that Stripe shows, references being ids; a key that begins with an underscore is
the sandbox's own and never leaves it.
"""

from collections.abc import Callable, Iterator
from typing import Any

Record = dict[str, Any]


class Store:
    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, Record]] = {}
        self.changes = 0
        self.watchers: list[Callable[[Record], None]] = []

    def save(self, record: Record) -> Record:
        """Add a record or note that it changed; whoever watches (timers, the state file) hears of it."""
        self.kinds.setdefault(record["object"], {})[record["id"]] = record
        self.changes += 1
        for watch in self.watchers:
            watch(record)
        return record

    def get(self, kind: str, key: Any) -> Record | None:
        return self.kinds.get(kind, {}).get(key)

    def the(self, kind: str, key: str) -> Record:
        """A record that must exist because another one names it."""
        return self.kinds[kind][key]

    def remove(self, record: Record) -> None:
        self.kinds[record["object"]].pop(record["id"], None)
        self.changes += 1

    def find(self, key: str) -> Record | None:
        """A record of any kind, as `expand` needs it."""
        return next((records[key] for records in self.kinds.values() if key in records), None)

    def all(self, kind: str) -> list[Record]:
        return list(self.kinds.get(kind, {}).values())

    def where(self, kind: str, **fields: Any) -> Iterator[Record]:
        for record in self.all(kind):
            if all(record.get(name) == value for name, value in fields.items()):
                yield record
