"""A deadlock is no error of the program: the database has undone one of the transactions, so that it can be run again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

TIMES = 10
_UNDONE = {1213, 1020, "40P01", "40001"}  # MariaDB's and MySQL's numbers, PostgreSQL's SQLSTATE


def again_after_deadlock(
    alias: Callable[[], str] = lambda: DEFAULT_DB_ALIAS,
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Run the function again, at most TIMES in all, when the database has undone its transaction for another's sake.

    InnoDB locks the gaps around a key that it finds taken, so no order of locks keeps it from deadlocks. The function
    must be safe to repeat, and open its transactions itself. Inside a transaction of the host nothing is repeated: what
    the host has written in it is undone as well, so the error goes on to whoever can repeat all of it.
    """

    def decorator(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(work)
        def repeated(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            connection = connections[alias()]
            if connection.in_atomic_block or not connection.get_autocommit():
                return work(*args, **kwargs)
            for _ in range(TIMES - 1):
                try:
                    return work(*args, **kwargs)
                except OperationalError as error:
                    if not _was_undone(error):
                        raise
            return work(*args, **kwargs)

        return repeated

    return decorator


def _was_undone(error: OperationalError) -> bool:
    cause: Any = error.__cause__
    told = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg 3 and 2
    return (told or next(iter(error.args), None)) in _UNDONE
