"""The scripts as functions of one shard: which keys and arguments each takes, in one place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID

from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.usage.redis_store.connections import Argument
from django_videoq_billing.usage.redis_store.keys import SHARDS, ShardKeys, microseconds, shard_keys
from django_videoq_billing.usage.redis_store.texts import scripts as lua
from django_videoq_billing.usage.redis_store.wire import StoreAwayError, Wire

REMEMBER_SECONDS = 86400
"""How long Redis knows a settled hold and its client key. Unless it was flushed before, for a day."""

KEEP_SECONDS = 7 * 86400
"""How long after its period's end a user's hash is kept; it can be rebuilt at any time."""


UNSURE = -3
"""The answer to a count was lost, and the journal does not reach back far enough to find it."""

UNKNOWN = -1
"""Redis knows no such hold: it was settled long ago, or Redis was emptied, or has evicted it."""

_PROCESS = os.urandom(6).hex().encode()
_calls = count()


def _call_name() -> bytes:
    """Unlike any other, in this process (or a fork of it) and in all others."""
    return b"%b%x.%x" % (_PROCESS, os.getpid(), next(_calls))


def now() -> int:
    """Microseconds since 1970, by Django's clock: the same that rolls periods, also where tests lead it."""
    return microseconds(timezone.now())


class Shard:
    """One shard of the store. Every method is one round trip and raises StoreAwayError."""

    def __init__(self, wire: Wire, number: int, prefix: str) -> None:
        self.wire = wire
        self.number = number
        self.keys: ShardKeys = shard_keys(prefix, number)

    def count(self, user: bytes, metric: bytes, amount: int) -> list[Any]:
        """Within the limit. A call whose answer was lost is looked for before it is repeated."""
        keys, moment, name = self.keys, now(), _call_name()
        names = (keys.user + user, keys.trust, keys.journal)
        lines = b"%b\n%b\n%d\n%d\n%b" % (user, metric, moment, amount, name)
        arguments = (moment, metric, amount, metric.upper(), lines)
        try:
            answer: list[Any] = self.wire.run("count", names, *arguments)
            return answer
        except StoreAwayError as error:
            if not error.worth_asking:
                raise
        return self._done(user, metric, name) or self._once_more("count", names, arguments)

    def correct(self, user: bytes, metric: bytes, amount: int) -> list[Any]:
        """Whatever the limit says, and also down."""
        names, name = (self.keys.user + user, self.keys.trust, self.keys.journal), _call_name()
        arguments = (now(), metric, amount, user, name)
        try:
            answer: list[Any] = self.wire.run("correct", names, *arguments)
            return answer
        except StoreAwayError as error:
            if not error.worth_asking:
                raise
        return self._done(user, metric, name) or self._once_more("correct", names, arguments)

    def undo(self, user: bytes, metric: bytes, amount: int, start: int) -> bool:
        """Whether it is certain that this was taken back once, and not twice."""
        names, name, moment = (self.keys.user + user, self.keys.journal), _call_name(), now()
        lines = b"%b\n%b\n%d\n%d\n%b" % (user, metric, moment, -amount, name)
        arguments = (moment, metric, amount, start, lines)
        try:
            self.wire.run("undo", names, *arguments)
        except StoreAwayError as error:
            if not error.worth_asking:
                raise
            done = self._done(user, metric, name)
            if done is None:
                self._once_more("undo", names, arguments)
            return done is None or done[0] != UNSURE
        return True

    def _done(self, user: bytes, metric: bytes, name: bytes) -> list[Any] | None:
        """The answer that was lost, one that begins with UNSURE, or None where nothing was carried out."""
        arguments = (metric, metric.upper(), name)
        answer = self._after_a_loss("counted", (self.keys.user + user, self.keys.journal), arguments)
        return answer if answer[0] else None

    def _after_a_loss(
        self, script: str, names: Sequence[bytes], arguments: Sequence[Argument], *, repeat: bool = True
    ) -> list[Any]:
        """Whatever keeps this from being answered, the first call may have been carried out."""
        try:
            return list(self.wire.run(script, names, *arguments, again=arguments if repeat else None) or [])
        except StoreAwayError as error:
            raise StoreAwayError(maybe_done=True, readable=error.readable) from error

    def _once_more(self, script: str, names: Sequence[bytes], arguments: Sequence[Argument]) -> list[Any]:
        return self._after_a_loss(script, names, arguments, repeat=False)

    def reserve(self, user: bytes, metric: bytes, amount: int, hold_id: UUID, key: str | None) -> list[Any]:
        keys, hold, moment, limit = self.keys, hold_id.hex.encode(), now(), metric.upper()
        client_key = b"" if key is None else key.encode()
        expiry = moment + get_settings().RESERVATION_SECONDS * 1_000_000
        lines = b"%b\n%b\n%d\n%d\n%b\n%d\n%b" % (user, metric, moment, amount, hold, expiry, client_key)
        names = [keys.user + user, keys.trust, keys.journal, keys.open + user, keys.due, keys.hold + hold]
        arguments: list[Argument] = [moment, metric, amount, limit, user, hold, expiry, lines]
        if client_key:
            names.append(b"%b%b:%b\n%b" % (keys.client, metric, user, client_key))
            arguments.append(keys.hold)
        try:
            answer: list[Any] = self.wire.run("reserve", names, *arguments)
            return answer
        except StoreAwayError as error:
            if not error.worth_asking:
                raise
        done = self._after_a_loss("reserved", (names[0], names[5]), (metric, limit))
        return done if done[0] else self._once_more("reserve", names, arguments)

    def settle(
        self,
        hold_id: UUID,
        state: str,
        actual: int | None = None,
        *,
        at: int | None = None,
        unheard: bool = False,
    ) -> int:
        """1 done, 0 nothing to do, UNKNOWN, -2 it was committed, -3 it was released.

        What was `unheard` expires at once, unless somebody has asked for it again by its client key.
        """
        keys, hold = self.keys, hold_id.hex.encode()
        arguments: tuple[Argument, ...] = (
            now() if at is None else at,
            state,
            "" if actual is None else actual,
            hold,
            keys.user,
            keys.open,
            keys.client,
            REMEMBER_SECONDS,
            int(unheard),
        )
        return int(self.wire.run("settle", (keys.hold + hold, keys.journal), *arguments, again=arguments))

    def settled(self, hold_id: UUID) -> list[bytes | None]:
        """The state and the final amount of a hold; neither where it is not known."""
        key = self.keys.hold + hold_id.hex.encode()
        return list(self.wire.ask(lambda client: client.hmget(key, "z", "f")))

    def read(self, user: bytes, start: int) -> list[bytes] | None:
        arguments = (now(), start)
        answer: list[bytes] | None = self.wire.run(
            "read", (self.keys.user + user, self.keys.trust), *arguments, again=arguments
        )
        return answer

    def committed(self, user: bytes, metric: bytes, start: int) -> int | None:
        keys, arguments = self.keys, (now(), start, metric, self.keys.hold)
        names = (keys.user + user, keys.trust, keys.open + user)
        answer: int | None = self.wire.run("committed", names, *arguments, again=arguments)
        return answer

    def begin(self, user: bytes) -> list[bytes]:
        keys, moment = (self.keys.user + user, self.keys.trust, self.keys.cleaned), now()
        answer: list[bytes] = self.wire.run("begin", keys, moment, again=(moment,))
        return answer

    def install(self, user: bytes, arguments: Iterable[Argument]) -> bool:
        keys, given = self.keys, tuple(arguments)
        names = (keys.user + user, keys.trust, keys.journal, keys.open + user, keys.due, keys.cleaned)
        return bool(self.wire.run("install", names, *given, again=given))

    def forget(self, user: bytes) -> None:
        self.wire.run("forget", (self.keys.user + user,), again=())

    def distrust(self) -> None:
        self.wire.ask(lambda client: client.delete(self.keys.trust))

    def verify(self, last_id: str, suspect: bool, trust: bytes) -> bool:
        """By its text and not by its name: a server that has just started knows no script yet."""
        keys, token = self.keys, int.from_bytes(trust, "big") or 1
        arguments = (keys.trust, keys.journal, last_id, int(suspect), token)
        return bool(self.wire.ask_now(lambda client: client.eval(lua()["verify"].text, 2, *arguments)))

    def entries_after(self, last_id: str, count: int | None) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        return list(
            self.wire.ask_now(
                lambda client: client.xrange(self.keys.journal, f"({last_id}", "+", count=count)
            )
        )

    def clean(self, last_id: str, holds: Iterable[str]) -> None:
        names = [self.keys.hold + hold.encode() for hold in holds]
        self.wire.run("clean", (self.keys.journal, self.keys.cleaned, *names), last_id, again=(last_id,))

    def overdue_users(self, at: int, count: int) -> list[bytes]:
        return list(
            self.wire.ask(
                lambda client: client.zrange(self.keys.due, "-inf", at, byscore=True, offset=0, num=count)
            )
        )

    def open_holds(self, user: bytes) -> list[bytes]:
        return list(self.wire.ask(lambda client: client.zrange(self.keys.open + user, 0, -1)))

    def overdue_holds(self, user: bytes, at: int) -> list[bytes]:
        return list(
            self.wire.ask(lambda client: client.zrange(self.keys.open + user, "-inf", at, byscore=True))
        )

    def still_due(self, user: bytes, unknown: Iterable[bytes] = ()) -> None:
        arguments = (user, *unknown)
        names = (self.keys.open + user, self.keys.due, self.keys.user + user)
        self.wire.run("due", names, *arguments, again=arguments)


class Shards(list[Shard]):
    def __init__(self, wire: Wire, prefix: str) -> None:
        super().__init__(Shard(wire, number, prefix) for number in range(SHARDS))
        self.wire, self.prefix = wire, prefix

    def clear(self) -> None:
        """Remove every key under the prefix. This goes through all keys of the server: for tests alone."""

        def remove(client: Any) -> None:
            for key in client.scan_iter(match=f"{{{self.prefix}:*", count=1000):
                client.unlink(key)

        self.wire.ask(remove)


def tips(shards: Shards) -> list[str]:
    """The last entry's id of every shard's journal, '0-0' where there is none, in one round trip per server."""

    def look(client: Any) -> list[Any]:
        pipe = client.pipeline(transaction=False)
        for shard in shards:
            pipe.xrevrange(shard.keys.journal, "+", "-", count=1)
        return list(pipe.execute())

    return [found[0][0].decode() if found else "0-0" for found in shards.wire.ask(look)]
