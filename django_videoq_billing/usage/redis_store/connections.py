"""Connections to the servers of the store, without the client layer of redis-py, which takes longer than a script."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
    """A command was sent, and it is not known whether it was carried out.

    `ended` says that from now on it will not be: it has been, or never is.
    """

    def __init__(self, *, timed_out: bool, ended: bool) -> None:
        super().__init__("The connection was lost before the answer.")
        self.timed_out = timed_out
        self.ended = ended


@dataclass(slots=True)
class Line:
    """A connection, and the server's number for it; None where the server does not tell."""

    connection: Any
    number: int | None
    used_at: float = 0.0


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
        self._idle: deque[Line] = deque()
        self._pid = os.getpid()

    def call(self, parts: tuple[Argument, ...]) -> Any:
        """Raises LostAnswerError when the command was sent and no answer came."""
        line = self._take()
        connection, sent = line.connection, False
        try:
            connection.send_packed_command(packed(connection, parts), check_health=False)
            sent = True
            answer = connection.read_response()
        except (errors.ResponseError, errors.BusyLoadingError):
            self._give_back(line)
            raise
        except (errors.ConnectionError, errors.TimeoutError) as error:
            connection.disconnect()
            self._idle.clear()  # the server has closed them as well
            if not sent:
                raise
            timed_out = isinstance(error, errors.TimeoutError)
            raise LostAnswerError(timed_out=timed_out, ended=not timed_out and self._end(line)) from error
        except BaseException:
            connection.disconnect()  # the answer to this call must not be read by the next
            raise
        self._give_back(line)
        return answer

    def _give_back(self, line: Line) -> None:
        line.used_at = time.monotonic()
        self._idle.append(line)

    def _take(self) -> Line:
        if self._pid != os.getpid():  # a fork must not share its parent's connections
            self._idle.clear()
            self._pid = os.getpid()
        try:
            line = self._idle.pop()
        except IndexError:
            return self._new()
        if time.monotonic() - line.used_at > _STALE_SECONDS:
            try:
                closed = line.connection.can_read(0)
            except errors.ConnectionError:
                closed = True
            if closed:
                line.connection.disconnect()
                return self._new()
        return line

    def _new(self) -> Line:
        connection = self._class(**self._options)
        connection.connect()
        try:
            return Line(connection, int(_ask(connection, "CLIENT", "ID")))
        except errors.ResponseError:
            return Line(connection, None)

    def _end(self, broken: Line) -> bool:
        """Have the server forget what it may still read from a broken connection; whether that is certain.

        Its bytes may lie there unread: looked for, not found and sent again, the command would be carried out
        twice. Numbers rise, so a new one that is lower is another server's, which never saw the command.
        """
        try:
            line = self._new()
            if broken.number is None or line.number is None:
                return False
            if line.number > broken.number:
                _ask(line.connection, "CLIENT", "KILL", "ID", broken.number)
        except errors.RedisError:
            return False
        self._give_back(line)
        return True


def _ask(connection: Any, *parts: Argument) -> Any:
    connection.send_command(*parts, check_health=False)
    return connection.read_response()


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
