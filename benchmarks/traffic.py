"""What a request costs the servers: SQL statements as Django sends them, and Redis round trips as Redis counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django_redis import get_redis_connection

from benchmarks.measuring import SETTLING_CALLS, Contender
from benchmarks.people import population_now
from benchmarks.report import Traffic

CALLS = 40


def traffic_of(contender: Contender) -> Traffic:
    """Per call, once everything is warm. BEGIN and COMMIT are no statements of Django's and not counted."""
    contender.turn(CALLS)
    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with contender.around():
        contender.clean_up([contender.call(contender.prepare()) for _ in range(SETTLING_CALLS)])
        arguments = [contender.prepare() for _ in range(CALLS)]
        reads = _reads()
        with connections[population_now()].execute_wrapper(count):
            results = [contender.call(argument) for argument in arguments]
        trips = _reads() - reads - 1
        contender.clean_up(results)
    return Traffic(sql=statements / CALLS, redis=trips / CALLS)


def _reads() -> int:
    """How often the server has read from its clients: once for each command or pipeline, this one included."""
    return int(get_redis_connection("default").info("stats")["total_reads_processed"])
