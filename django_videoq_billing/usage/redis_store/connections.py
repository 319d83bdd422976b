"""Connections to the servers of the store, without the client layer of redis-py, which takes longer than a script."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import redis
from django.core.exceptions import ImproperlyConfigured
from redis import exceptions as errors
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from django_videoq_billing.usage.redis_store.client import time_outs

Argument = bytes | str | int

_STALE_SECONDS = 0.05  # an idle connection may have been closed by the server: look before it is used

_pack: Callable[[Any], bytes] | None = None
with suppress(ImportError):  # the extra [redis] brings it
    from hiredis import pack_command as _pack


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
