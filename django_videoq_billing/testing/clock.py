"""Django's clock, led by hand: `timezone.now()`, and with it every default and stamp of models and sessions.

What asks Python itself (`datetime.now()`, `time.time()`) keeps to real time, as do signatures and timeouts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any, Self
from unittest import mock

from django.utils import timezone


class Clock:
    """Stands still at `moment` until somebody sets another one."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment


@contextmanager
def django_clock(moment: datetime) -> Iterator[Clock]:
    """Stop Django's clock at `moment` while the block runs, also for who has imported `now` by its name.

    The name `datetime` in Django's module is what all of them read; no host needs a package for it.
    """
    clock = Clock(moment)

    class AnyDatetime(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, datetime)

    class StandingDatetime(datetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            moved: Any = clock.moment.astimezone(tz)
            return moved if tz else moved.replace(tzinfo=None)  # type: ignore[no-any-return]

    with mock.patch.object(timezone, "datetime", StandingDatetime):
        yield clock


def from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
