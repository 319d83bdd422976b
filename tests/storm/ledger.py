"""What each worker asked and heard, on paper: one file a process, readable after the process was killed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Ledger:
    """Written with one `write` a line: a process that is killed loses nothing that it has written, since the
    machine goes on running."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._file = os.open(folder / f"{worker}.ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, operation: str, **facts: Any) -> None:
        line = json.dumps({"id": operation, "at": time.monotonic_ns(), **facts})
        os.write(self._file, f"{line}\n".encode())


@dataclass
class Operation:
    """One call of the store. Without an `outcome` the process died, or the answer was lost: it may be done or not."""

    kind: str
    user: int
    asked: int
    amount: int = 0
    hold: str = ""
    key: str = ""
    answered: int | None = None
    outcome: str = ""
    replayed: bool = False
    away: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def definite(self) -> bool:
        return self.outcome != "" and not self.outcome.startswith("error")


def read(folder: Path) -> list[Operation]:
    operations: dict[str, Operation] = {}
    for line in _lines(folder):
        name, at = line.pop("id"), line.pop("at")
        if name not in operations:
            operations[name] = Operation(asked=at, **line)
            continue
        operation = operations[name]
        operation.answered = at
        for fact, value in line.items():
            setattr(operation, fact, value)
    return list(operations.values())


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.ledger")):
        for line in path.read_text().splitlines():
            yield json.loads(line)
