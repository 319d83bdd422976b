"""The sandbox itself: what every part is handed, and the only place that holds state."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

from django_videoq_billing.sandbox.agenda import Agenda, Duty
from django_videoq_billing.sandbox.clock import Clock
from django_videoq_billing.sandbox.config import API_VERSION, SandboxConfig, Switches
from django_videoq_billing.sandbox.deliveries import Deliveries
from django_videoq_billing.sandbox.ids import Ids
from django_videoq_billing.sandbox.render import render
from django_videoq_billing.sandbox.store import Record, Store


@dataclass(frozen=True)
class RequestInfo:
    """The API request that is being answered; events name it."""

    id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Reply:
    """What an idempotency key was answered with, when, and a fingerprint of the request that it belongs to."""

    fingerprint: str
    status: int
    body: str
    at: int = 0
    request_id: str = ""


class Sandbox:
    def __init__(
        self, config: SandboxConfig, duties: Mapping[str, Duty], furnish: Callable[[Sandbox], None]
    ) -> None:
        """`furnish` puts in what exists before the first request."""
        self.config = config
        self.duties = duties
        self.furnish = furnish
        self.request = RequestInfo()
        self._begin()

    def reset(self) -> None:
        """Forget everything but the configuration; ids start over too, so that a seed repeats the whole story."""
        self.deliveries.stop()
        self._begin()

    def _begin(self) -> None:
        seed = self.config.seed or secrets.token_hex(8)
        self.clock = Clock(self.config.start)
        self.ids = Ids(seed)
        self.random = random.Random(seed)  # noqa: S311 - shuffles deliveries
        self.store = Store()
        self.switches = Switches(
            retry_days=list(self.config.retry_days), after_retries=self.config.after_retries
        )
        self.replies: dict[str, Reply] = {}
        self.answering: set[str] = set()
        self._open: dict[str, Record] = {}
        self.deliveries = Deliveries(self)
        self.agenda = Agenda(self.duties, self.clock.now)
        self.store.watchers.append(self.agenda.note)
        self.furnish(self)

    def now(self) -> int:
        return self.clock.now()

    def emit(self, kind: str, record: Record, previous: Record | None = None) -> Record:
        """Record an event with a snapshot of `record` as it is now, and hand it to the webhook endpoints."""
        data: Record = {"object": render(self.store, record)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Record = {
            "id": self.ids.new("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request.id, "idempotency_key": self.request.idempotency_key},
            "type": kind,
        }
        self.store.save(event)
        self.deliveries.enqueue(event)
        return event

    @contextmanager
    def on_its_own(self) -> Iterator[None]:
        """What happens by itself was asked for by no request, even if one moved the clock."""
        outer, self.request = self.request, RequestInfo()
        try:
            yield
        finally:
            self.request = outer

    @contextmanager
    def announcing(self, record: Record, kind: str) -> Iterator[Record]:
        """Save a new record and emit `kind` once the block is done: what happens inside belongs to its birth."""
        self._open[record["id"]] = {}
        try:
            self.store.save(record)
            yield record
        finally:
            del self._open[record["id"]]
        self.store.save(record)
        self.emit(kind, record)

    @contextmanager
    def changing(self, record: Record, kind: str) -> Iterator[Record]:
        """Save what the block changes and emit `kind` with `previous_attributes`; nothing changed, nothing sent.

        Inside another block for the same record it is silent: the outer one speaks once, at its end.
        """
        if record["id"] in self._open:
            yield record
            self.store.save(record)
            return
        before = render(self.store, deepcopy(record))
        self._open[record["id"]] = before
        try:
            yield record
        finally:
            del self._open[record["id"]]
            self.store.save(record)
        after = render(self.store, record)
        previous = {key: before.get(key) for key in {**before, **after} if before.get(key) != after.get(key)}
        if previous:
            self.emit(kind, record, previous)

    def run_due(self) -> None:
        """Let everything happen that is due by now."""
        for _ in self.advance(self.now()):
            pass

    def advance(self, to: int) -> Iterator[int]:
        """Move time forward step by step: after each due thing it is that thing's time, in the end it is `to`."""
        for at in self.agenda.run(self, to):
            self.clock.move(at)
            yield at
        self.clock.move(to)
