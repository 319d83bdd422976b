"""The whole sandbox as JSON, so that it survives a restart."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django_videoq_billing.sandbox.box import Reply, Sandbox
from django_videoq_billing.sandbox.config import Outage, Switches

VERSION = 1


def dump(box: Sandbox) -> dict[str, Any]:
    return {
        "version": VERSION,
        "seed": box.ids.seed,
        "counter": box.ids.counter,
        "clock": {"offset": box.clock.offset, "frozen_at": box.clock.frozen_at},
        "switches": asdict(box.switches),
        "replies": {key: asdict(reply) for key, reply in box.replies.items()},
        "records": [record for kind in box.store.kinds.values() for record in kind.values()],
    }


def mark(box: Sandbox) -> tuple[object, ...]:
    """Differs from an earlier one if there is something new to save. (The clock of real time runs by itself.)"""
    clock = box.clock
    return id(box.store), box.store.changes, clock.offset, clock.frozen_at, str(box.switches)


def save(box: Sandbox, path: Path) -> None:
    """Atomic: a reader sees the old file or the new one, never half of one, whenever the process is killed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(json.dumps(dump(box)))
    draft.replace(path)


def tidy(path: Path) -> None:
    """Remove the drafts of processes that were killed while they wrote."""
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink(missing_ok=True)


def load(box: Sandbox, path: Path) -> None:
    """Take up where the file stopped; what fell due meanwhile happens at its own time."""
    state = json.loads(path.read_text())
    if state.get("version") != VERSION:
        raise ValueError(f"{path} was not written by this version of the sandbox; delete it to start afresh.")
    box.store.kinds.clear()
    box.agenda.entries.clear()
    box.ids.seed, box.ids.counter = state["seed"], state["counter"]
    box.clock.offset = state["clock"]["offset"]
    if box.clock.frozen_at is not None and state["clock"]["frozen_at"] is not None:
        box.clock.frozen_at = max(box.clock.frozen_at, state["clock"]["frozen_at"])
    known = {field.name for field in fields(Switches)}
    given = {name: value for name, value in state["switches"].items() if name in known}
    box.switches = Switches(**{**given, "outage": Outage(**given.get("outage", {}))})
    box.replies = {key: Reply(**reply) for key, reply in state["replies"].items()}
    for record in state["records"]:
        box.store.kinds.setdefault(record["object"], {})[record["id"]] = record
        box.agenda.note(record, overdue=True)
    box.deliveries.resume()
