"""The work of a worker: events of the inbox first, then the mirror, and a stop between two events."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django_videoq_billing.management.stripe import counted
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.webhooks import inbox

GLANCE_SECONDS = 0.2


@dataclass(slots=True)
class Stop:
    """Whether the worker was asked to stop. A plain flag: a lock must not be taken in a signal handler."""

    requested: bool = False

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.requested and time.monotonic() < until:
            time.sleep(min(GLANCE_SECONDS, seconds))


@contextmanager
def stopping() -> Iterator[Stop]:
    """Note SIGTERM and SIGINT instead of dying of them. A second one has its usual effect."""
    stop = Stop()
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def note(number: int, frame: object) -> None:
        stop.requested = True
        signal.signal(number, usual[signal.Signals(number)])

    for number in usual:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


@dataclass(slots=True)
class Work:
    """What a worker has done so far."""

    events: int = 0
    mirrored: int = 0

    def go_on(self, stop: Stop, limit: int | None = None) -> None:
        """Work on what is due, up to `limit` events, one by one so that a stop is clean."""
        self.events += _repeat(inbox.process_due, stop, None if limit is None else limit - self.events)
        self.mirrored += _repeat(stripe_mirror.mirror_due, stop, limit)

    def summary(self) -> str:
        mirrored = f", {self.mirrored} for the mirror" if stripe_mirror.is_installed() else ""
        failing = WebhookEvent.objects.filter(state=WebhookEvent.State.FAILED).count()
        trouble = f" {counted(failing, 'event')} failed and will be tried again." if failing else ""
        return f"Worked on {counted(self.events, 'event')}{mirrored}.{trouble}"


def _repeat(work: Callable[[int], int], stop: Stop, limit: int | None) -> int:
    done = 0
    while not stop.requested and (limit is None or done < limit) and work(1):
        done += 1
    return done
