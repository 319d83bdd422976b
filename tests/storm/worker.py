"""One process of the storm, forked by the nursery. Its threads reserve, commit, release, count and die."""

from __future__ import annotations

import argparse
import logging
import os
import random
import threading
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import Error, connection
from django.utils import timezone

from tests.storm.ledger import Ledger

RETRIES = 40


class Unsure(logging.Handler):
    """Takes note of what the store says of a call that it cannot be sure of."""

    def __init__(self) -> None:
        super().__init__()
        self.here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        self.here.noticed = {*self.noticed(), record.getMessage()}

    def take(self) -> set[str]:
        noticed, self.here.noticed = self.noticed(), set()
        return noticed

    def noticed(self) -> set[str]:
        return getattr(self.here, "noticed", set())


UNSURE = Unsure()


class Thread:
    """A sequence of uploads, each told to the ledger before it is asked and after it is answered."""

    def __init__(self, name: str, seed: int, until: int, users: list[Any], ledger: Ledger) -> None:
        from django_videoq_billing.usage import get_store

        self._name, self._until, self._users, self._ledger = name, until, users, ledger
        self._dice = random.Random(f"{seed}-{name}")  # noqa: S311 (a repeatable storm, no secret)
        self._store = get_store()
        self._numbers = count()

    def run(self) -> None:
        while time.monotonic_ns() < self._until:
            user = self._users[int(len(self._users) * self._dice.random() ** 2)]
            if self._dice.random() < 0.25:
                self._count(user)
            else:
                self._upload(user)
            if self._dice.random() < 0.0005:
                os._exit(9)  # with whatever the other threads hold

    def _ask(self, kind: str, user: Any, call: Callable[[], Any], **facts: Any) -> Any:
        """The answer, or None where there was none."""
        from django_videoq_billing.exceptions import BillingError, Conflict, UsageUnavailable

        name = f"{self._name}.{next(self._numbers)}"
        self._ledger.write(name, kind=kind, user=user.pk, **facts)
        answer, heard, away = None, {}, self._away()
        try:
            answer = call()
        except (UsageUnavailable, Error) as error:
            maybe_done = _maybe_done(error) or "usage_not_durable" in UNSURE.noticed()
            heard = {"outcome": f"{'error' if maybe_done else 'away'} {error!r}"[:200]}
            connection.close()
            time.sleep(0.01)  # as a client would
        except Conflict:
            heard = {"outcome": "conflict"}
        except BillingError as error:
            heard = {"outcome": f"refused {type(error).__name__}"}
        else:
            heard = _told(answer)
        away = away or self._away()
        if "usage_undo_unsure" in UNSURE.take() or (kind == "undo" and away):
            heard = {"outcome": "error undo"}
        self._ledger.write(name, away=away, **heard)
        return answer

    def _away(self) -> bool:
        wire = getattr(getattr(self._store, "shards", None), "wire", None)
        return wire is not None and wire._retry_at is not None

    def _reserve(self, user: Any, amount: int, key: str | None, hold: bool) -> Any:
        from django_videoq_billing.services.entitlements import entitlement_of
        from django_videoq_billing.types import Metric

        def call() -> Any:
            return self._store.reserve(entitlement_of(user), Metric.VIDEO, amount, key=key, hold=hold)

        kind = "reserve" if hold else "count"
        return self._ask(kind, user, call, amount=amount, **({"key": key} if key else {}))

    def _count(self, user: Any) -> None:
        counted = self._reserve(user, self._dice.choice([1, 1, 2]), None, hold=False)
        if counted is not None and counted.granted and self._dice.random() < 0.6:
            self._ask("undo", user, lambda: self._store.undo(counted), amount=counted.amount)

    def _upload(self, user: Any) -> None:
        amount, key = self._dice.choice([1, 1, 2, 3]), None
        if self._dice.random() < 0.4:
            key = f"{self._name}-{next(self._numbers)}"
        reservation = self._reserve(user, amount, key, hold=True)
        if key and (reservation is None or self._dice.random() < 0.5):
            again = self._reserve(user, amount, key, hold=True)
            reservation = again or reservation
        if reservation is None or not reservation.granted:
            return
        self._settle(user, reservation.hold_id, reservation.amount)

    def _settle(self, user: Any, hold: UUID, amount: int) -> None:
        dice = self._dice.random()
        if dice < 0.05:
            return  # whoever held it has died
        actual = None
        if dice < 0.15:
            most = amount if user.pk % 2 else amount + 2  # every second user may run over
            actual = self._dice.randint(0, most)
        if dice < 0.30:
            for _ in range(RETRIES):  # as a task queue would
                facts = {} if actual is None else {"facts": {"actual": actual}}
                done = self._ask(
                    "commit", user, lambda: self._store.commit(hold, actual), hold=hold.hex, **facts
                )
                if done is not None or self._dice.random() < 0.2:
                    break
                time.sleep(0.02)
            if self._dice.random() < 0.1:
                self._ask("commit", user, lambda: self._store.commit(hold, actual), hold=hold.hex, **facts)
        else:
            self._ask("release", user, lambda: self._store.release(hold), hold=hold.hex)


def _maybe_done(error: BaseException | None) -> bool:
    """Whether the call may have been carried out all the same: an answer was lost on the way."""
    from django_videoq_billing.usage.redis_store.wire import StoreAwayError

    unsure, lost = False, False
    while error is not None:
        if isinstance(error, StoreAwayError):
            lost = lost or error.maybe_done
        elif isinstance(error, Error):
            unsure = unsure or "connection to server" not in str(error)  # it never reached it
        error = error.__cause__ or error.__context__
    return lost or unsure


def _told(answer: Any) -> dict[str, Any]:
    if not hasattr(answer, "granted"):
        return {"outcome": f"done {answer}"}
    if not answer.granted:
        return {"outcome": "no room", "facts": {"used": answer.used}}
    facts: dict[str, Any] = {"outcome": "granted", "replayed": answer.replayed, "amount": answer.amount}
    return facts | ({"hold": answer.id.hex} if answer.id else {})


def flush_for_ever(until: int, seed: int) -> None:
    """A flusher that also gives back what is overdue; nothing is, while the storm lasts."""
    from django_videoq_billing.exceptions import UsageUnavailable
    from django_videoq_billing.usage import get_store

    store, dice = get_store(), random.Random(seed)  # noqa: S311
    while time.monotonic_ns() < until:
        try:
            store.flush()
            if dice.random() < 0.3:
                store.expire(timezone.now() - timedelta(days=1))
            if dice.random() < 0.3:
                store.forget()  # as a changed plan would: every hash is rebuilt under load
        except (UsageUnavailable, Error):
            connection.close()
        time.sleep(0.02)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument(
        "--until", type=int, required=True, help="the value of time.monotonic_ns() at the end"
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--flush", action="store_true")
    given = parser.parse_args(arguments)
    logging.getLogger("django_videoq_billing").addHandler(UNSURE)
    if given.flush:
        flush_for_ever(given.until, given.seed)
        return
    from django.contrib.auth import get_user_model

    users = _patiently(lambda: list(get_user_model().objects.order_by("pk")), given.until)
    ledger = Ledger(given.folder, given.name)

    def work(number: int) -> None:
        try:
            Thread(f"{given.name}t{number}", given.seed, given.until, users, ledger).run()
        except BaseException:
            traceback.print_exc()
            os._exit(3)  # nothing but a lost answer or a refusal may come out of the store
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(given.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _patiently(look: Callable[[], list[Any]], until: int) -> list[Any]:
    """A worker may be started while the database is being restarted."""
    while True:
        try:
            return look()
        except Error:
            connection.close()
            if time.monotonic_ns() > until:
                return []
            time.sleep(0.05)
