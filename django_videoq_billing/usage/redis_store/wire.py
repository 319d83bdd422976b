"""The one place that speaks to Redis: connections, scripts, and what it means when there is no answer.

A script runs in one round trip on a connection of its own, without the client layer of redis-py, which takes
longer than the script. Only what is safe to repeat is repeated when an answer is lost.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import redis
from django.core.cache import InvalidCacheBackendError
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django_redis import get_redis_connection
from redis import exceptions as errors
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool

logger = logging.getLogger("django_videoq_billing")

TIMEOUT_SECONDS = 2.0
"""How long an answer may take where the host's own settings for its cache name no time-out."""

RETRY_SECONDS = 1.0
"""How long Redis is left alone after it gave no answer."""

_STALE_SECONDS = 1.0  # an idle connection may have been closed by the server: look before it is used
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


class StoreAwayError(Exception):
    """Redis gives no answer, or cannot write.

    `maybe_done` says that the call may have been carried out, `readable` that Redis can still be read.
    """

    def __init__(self, *, maybe_done: bool = False, readable: bool = False) -> None:
        super().__init__("The usage store does not answer.")
        self.maybe_done = maybe_done
        self.readable = readable


class LostAnswerError(StoreAwayError):
    """One connection broke after the question was sent. That alone does not say that Redis is away."""


class Node:
    """The idle connections to one server. Taking and giving back are atomic, so threads need no lock."""

    def __init__(self, client: redis.Redis) -> None:
        pool = client.connection_pool
        if pool.connection_kwargs.get("decode_responses"):
            raise ImproperlyConfigured("The usage store needs a Redis client without decode_responses.")
        self._class = pool.connection_class
        self._options = {
            **pool.connection_kwargs,
            **_time_outs(pool.connection_kwargs),
            "retry": Retry(NoBackoff(), 0),
        }
        self._idle: deque[tuple[Any, float]] = deque()
        self._pid = os.getpid()

    def call(self, parts: Sequence[Argument], *, repeatable: bool) -> Any:
        connection = self._take()
        sent = False
        try:
            connection.send_command(*parts, check_health=False)
            sent = True
            answer = connection.read_response()
        except errors.ResponseError:
            self._idle.append((connection, time.monotonic()))
            raise
        except errors.ConnectionError as error:
            connection.disconnect()
            self._idle.clear()  # the server has closed them as well
            if sent and not repeatable and not isinstance(error, errors.BusyLoadingError):
                raise LostAnswerError(maybe_done=True) from error
            raise
        except errors.TimeoutError as error:
            connection.disconnect()
            raise StoreAwayError(maybe_done=sent) from error
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
        command: tuple[Argument, ...] = (b"EVALSHA", scripts()[name].sha, len(keys), *keys)
        try:
            return self._send_until_heard(keys[0], command, arguments, again)
        except LostAnswerError:
            raise
        except StoreAwayError:
            self.step_back()
            raise
        except _AWAY as error:
            self.step_back()
            raise StoreAwayError(readable=isinstance(error, _READABLE)) from error
        except errors.ResponseError as error:
            if not str(error).startswith(_NOT_WRITABLE):
                raise
            self.step_back()
            raise StoreAwayError(readable=True) from error

    def _send_until_heard(
        self,
        key: bytes,
        command: tuple[Argument, ...],
        arguments: Sequence[Argument],
        again: Sequence[Argument] | None,
    ) -> Any:
        taught = repeated = False
        while True:
            try:
                return self._send(key, (*command, *arguments), repeatable=again is not None)
            except errors.NoScriptError:
                # A server that does not know the scripts has been started since: see what it remembers first.
                if taught:
                    raise
                taught = True
                self._teach()
            except errors.ConnectionError:
                if repeated:
                    raise
                repeated = True
                self._servers.look_again()
                arguments = again or arguments

    def ask(self, question: Callable[[Any], Any]) -> Any:
        """Call the client for what is not on the hot path. Raises StoreAwayError."""
        if self._retry_at is not None:
            self._come_back()
        return self.ask_now(question)

    def ask_now(self, question: Callable[[Any], Any]) -> Any:
        """The same, while it is being found out whether Redis is back."""
        try:
            return question(self.client)
        except _AWAY as error:
            self.step_back()
            raise StoreAwayError from error

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
        except _AWAY as error:
            self.step_back()
            raise StoreAwayError from error
        self._retry_at = None
        logger.info("usage_store_back")

    def _teach(self) -> None:
        names = [script.sha for script in scripts().values()]
        self._when_back(not all(self.client.script_exists(*names)))
        for script in scripts().values():
            self.client.script_load(script.text)

    def _send(self, key: bytes, parts: Sequence[Argument], *, repeatable: bool) -> Any:
        try:
            return self._servers.node(key).call(parts, repeatable=repeatable)
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


class Script:
    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@cache
def scripts() -> dict[str, Script]:
    folder = resources.files("django_videoq_billing.usage.redis_store") / "lua"
    texts = {
        path.name.removesuffix(".lua"): path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".lua")
    }
    common = texts.pop("common")
    return {name: Script(common + text) for name, text in texts.items()}


def make_client(factory: str, alias: str) -> redis.Redis | RedisCluster:
    """The host's client: from its own factory, or from django-redis's cache of that alias."""
    if not factory:
        try:
            client: redis.Redis = get_redis_connection(alias)
        except (InvalidCacheBackendError, NotImplementedError) as error:
            raise ImproperlyConfigured(f"CACHES[{alias!r}] is no cache of django-redis.") from error
        return _with_time_outs(client)
    made = import_string(factory)()
    if not isinstance(made, redis.Redis | RedisCluster):
        raise ImproperlyConfigured(f"{factory} must return a redis.Redis or a redis.cluster.RedisCluster.")
    return made if isinstance(made, RedisCluster) else _with_time_outs(made)


def _with_time_outs(client: redis.Redis) -> redis.Redis:
    """The same connection for ourselves: a flush holds a row's lock while it asks, so no answer may take for ever."""
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        return client  # it takes its servers from the sentinels; its time-outs are the host's to set
    options = {**pool.connection_kwargs, **_time_outs(pool.connection_kwargs)}
    own = redis.ConnectionPool(connection_class=pool.connection_class, **options)
    return redis.Redis(connection_pool=own)


def _time_outs(options: Mapping[str, Any]) -> dict[str, float]:
    names = ("socket_timeout", "socket_connect_timeout")
    return {name: options.get(name) or TIMEOUT_SECONDS for name in names}
