"""The one place that speaks to Redis: connections, scripts, and what it means when there is no answer.

A script runs in one round trip on a connection of its own, without the client layer of redis-py, which takes
longer than the script. Only what is safe to repeat is repeated when an answer is lost.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import redis
from django.core.exceptions import ImproperlyConfigured
from redis import exceptions as errors
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from django_videoq_billing.usage.redis_store.client import time_outs
from django_videoq_billing.usage.redis_store.texts import scripts

logger = logging.getLogger("django_videoq_billing")

RETRY_SECONDS = 1.0
"""How long Redis is left alone after it gave no answer."""

_STALE_SECONDS = 0.05  # an idle connection may have been closed by the server: look before it is used
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

Argument = bytes | str | int

_pack: Callable[[Any], bytes] | None = None
with suppress(ImportError):  # the extra [redis] brings it
    from hiredis import pack_command as _pack


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


class LostAnswerError(Exception):
    """A command was sent, and it is not known whether it was carried out."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("The connection was lost before the answer.")
        self.timed_out = timed_out


def packed(connection: Any, parts: tuple[Argument, ...]) -> Sequence[bytes]:
    """The command as the protocol has it; by hiredis without the detour through redis-py's own checks."""
    return (_pack(parts),) if _pack else connection.pack_command(*parts)


class Node:
    """The idle connections to one server. Taking and giving back are atomic, so threads need no lock."""

    def __init__(self, client: redis.Redis) -> None:
        pool = client.connection_pool
        if pool.connection_kwargs.get("decode_responses"):
            raise ImproperlyConfigured("The usage store needs a Redis client without decode_responses.")
        self._class = pool.connection_class
        self._options = {
            **pool.connection_kwargs,
            **time_outs(pool.connection_kwargs),
            "retry": Retry(NoBackoff(), 0),
        }
        self._idle: deque[tuple[Any, float]] = deque()
        self._pid = os.getpid()

    def call(self, parts: tuple[Argument, ...]) -> Any:
        """Raises LostAnswerError when the command was sent and no answer came."""
        connection = self._take()
        sent = False
        try:
            connection.send_packed_command(packed(connection, parts), check_health=False)
            sent = True
            answer = connection.read_response()
        except (errors.ResponseError, errors.BusyLoadingError):
            self._idle.append((connection, time.monotonic()))
            raise
        except (errors.ConnectionError, errors.TimeoutError) as error:
            connection.disconnect()
            self._idle.clear()  # the server has closed them as well
            if sent:
                raise LostAnswerError(timed_out=isinstance(error, errors.TimeoutError)) from error
            raise
        except BaseException:
            connection.disconnect()  # the answer to this call must not be read by the next
            raise
        self._idle.append((connection, time.monotonic()))
        return answer

    def _take(self) -> Any:
        if self._pid != os.getpid():  # a fork must not share its parent's connections
            self._idle.clear()
            self._pid = os.getpid()
        try:
            connection, used_at = self._idle.pop()
        except IndexError:
            return self._class(**self._options)
        if time.monotonic() - used_at > _STALE_SECONDS:
            try:
                closed = connection.can_read(0)
            except errors.ConnectionError:
                closed = True
            if closed:
                connection.disconnect()  # it connects again when it sends
        return connection


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
                raise StoreAwayError(maybe_done=True, worth_asking=not lost.timed_out) from lost
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


class OneServer:
    def __init__(self, client: redis.Redis) -> None:
        self._node = Node(client)

    def node(self, key: bytes) -> Node:
        return self._node

    def look_again(self) -> None:
        """It stays where it is."""


class Cluster:
    """Finds the server of a key by the key's hash tag."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._nodes: dict[str, Node] = {}
        self._by_tag: dict[bytes, Node] = {}

    def node(self, key: bytes) -> Node:
        tag = key[: key.index(b"}")]
        node = self._by_tag.get(tag)
        if node is None:
            found = self._client.get_node_from_key(key.decode())  # type: ignore[no-untyped-call]
            if found is None:
                raise errors.ClusterDownError("No server has this slot.")
            client = self._client.get_redis_connection(found)
            node = self._by_tag[tag] = self._nodes.setdefault(found.name, Node(client))
        return node

    def look_again(self) -> None:
        self._by_tag.clear()
        self._client.nodes_manager.initialize()
