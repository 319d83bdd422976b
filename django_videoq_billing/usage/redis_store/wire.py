"""The one place that speaks to Redis: connections, scripts, and what it means when there is no answer.

A script runs in one round trip on a connection of its own, without the client layer of redis-py, which takes
longer than the script. Only what is safe to repeat is repeated when an answer is lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import redis
from redis import exceptions as errors
from redis.cluster import RedisCluster

from django_videoq_billing.usage.redis_store.connections import (
    Argument,
    Cluster,
    LostAnswerError,
    OneServer,
)
from django_videoq_billing.usage.redis_store.texts import scripts

logger = logging.getLogger("django_videoq_billing")

RETRY_SECONDS = 1.0
"""How long Redis is left alone after it gave no answer."""

_AWAY = (
    errors.ConnectionError,
    errors.TimeoutError,
    errors.ReadOnlyError,
    errors.OutOfMemoryError,
    errors.ClusterDownError,
    errors.MasterDownError,
    errors.RedisClusterException,
)
_READABLE = (errors.ReadOnlyError, errors.OutOfMemoryError)
_NOT_WRITABLE = ("MISCONF", "NOREPLICAS")  # its disk is full; its replicas are gone: no classes in redis-py
_MOVED = (errors.MovedError, errors.AskError, errors.TryAgainError)


class StoreAwayError(Exception):
    """Redis gives no answer, or cannot write.

    `maybe_done` says that the call may have been carried out, and `worth_asking` that Redis may well be there to
    tell: one connection broke. `readable` says that Redis can still be read.
    """

    def __init__(
        self, *, maybe_done: bool = False, readable: bool = False, worth_asking: bool = False
    ) -> None:
        super().__init__("The usage store does not answer.")
        self.maybe_done = maybe_done
        self.readable = readable
        self.worth_asking = worth_asking


class Wire:
    """Runs scripts on the server of a shard; knows when Redis is away and when it is back."""

    def __init__(self, client: redis.Redis | RedisCluster, when_back: Callable[[bool], None]) -> None:
        self.client = client
        self._servers = Cluster(client) if isinstance(client, RedisCluster) else OneServer(client)
        self._when_back = when_back
        self._retry_at: float | None = None

    def run(
        self, name: str, keys: Sequence[bytes], *arguments: Argument, again: Sequence[Argument] | None = None
    ) -> Any:
        """Run a script; the first key decides where. Raises StoreAwayError.

        A call whose answer was lost is repeated once with the arguments `again`; without them it is not.
        """
        if self._retry_at is not None:
            self._come_back()
        script = scripts()[name]
        command: tuple[Argument, ...] = ("EVALSHA", script.sha, len(keys), *keys)
        try:
            return self._send(keys[0], (*command, *arguments))
        except errors.NoScriptError:
            pass  # a server that does not know the scripts has been started since: see what it remembers first
        except LostAnswerError as lost:
            if lost.timed_out:
                self.step_back()
            if again is None or lost.timed_out:  # one broken connection does not say that Redis is away
                raise StoreAwayError(maybe_done=True, worth_asking=lost.ended) from lost
            return self._run_again((*command, *again), keys[0], maybe_done=True)
        except errors.ConnectionError:
            return self._run_again((*command, *arguments), keys[0])
        except (*_AWAY, errors.ResponseError) as error:
            self._give_up(error)
        return self._run_again((*command, *arguments), keys[0], teach=True)

    def _run_again(
        self, parts: tuple[Argument, ...], key: bytes, *, maybe_done: bool = False, teach: bool = False
    ) -> Any:
        try:
            if teach:
                self._teach()
            else:
                self._servers.look_again()
            return self._send(key, parts)
        except errors.NoScriptError:
            if teach:
                raise
        except LostAnswerError as lost:
            self.step_back()
            raise StoreAwayError(maybe_done=True) from lost
        except (*_AWAY, errors.ResponseError) as error:
            self._give_up(error, maybe_done=maybe_done)
        return self._run_again(parts, key, maybe_done=maybe_done, teach=True)

    def _give_up(self, error: Exception, *, maybe_done: bool = False) -> NoReturn:
        not_writable = str(error).startswith(_NOT_WRITABLE)
        if not (not_writable or isinstance(error, _AWAY)):
            raise error  # a mistake of ours
        self.step_back()
        readable = not_writable or isinstance(error, _READABLE)
        raise StoreAwayError(maybe_done=maybe_done, readable=readable) from error

    def ask(self, question: Callable[[Any], Any]) -> Any:
        """Call the client for what is not on the hot path. Raises StoreAwayError."""
        if self._retry_at is not None:
            self._come_back()
        return self.ask_now(question)

    def ask_now(self, question: Callable[[Any], Any]) -> Any:
        """The same, while it is being found out whether Redis is back."""
        try:
            return question(self.client)
        except (*_AWAY, errors.ResponseError) as error:
            self._give_up(error)

    def step_back(self) -> None:
        """Leave Redis alone for a moment; whoever comes next finds out whether it is back."""
        if self._retry_at is None:
            logger.warning("usage_store_away")
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _come_back(self) -> None:
        if time.monotonic() < (self._retry_at or 0):
            raise StoreAwayError
        self._retry_at = time.monotonic() + RETRY_SECONDS  # one caller finds out, the others do not wait
        try:
            self.client.ping()
            self._servers.look_again()
            self._teach()
        except (*_AWAY, errors.ResponseError) as error:
            self._give_up(error)
        self._retry_at = None
        logger.info("usage_store_back")

    def _teach(self) -> None:
        names = [script.sha for script in scripts().values()]
        self._when_back(not all(self.client.script_exists(*names)))
        for script in scripts().values():
            self.client.script_load(script.text)

    def _send(self, key: bytes, parts: tuple[Argument, ...]) -> Any:
        try:
            return self._servers.node(key).call(parts)
        except _MOVED:  # nothing was done: the key lives elsewhere now
            self._servers.look_again()
            return self.client.execute_command(*parts)  # type: ignore[no-untyped-call]
