"""The limits of what can be had: one EVALSHA that checks and counts, one conditional UPDATE."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F
from django.utils import timezone
from django_redis import get_redis_connection

from benchmarks.people import People, population_now
from django_videoq_billing.models import UsageRecord, UsageReservation

CHECK_AND_COUNT = """
local used = tonumber(redis.call('HGET', KEYS[1], 'used') or '0')
if used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return {0, used} end
used = redis.call('HINCRBY', KEYS[1], 'used', ARGV[1])
"""
BARE = CHECK_AND_COUNT + "return {1, used}"
WITH_JOURNAL = (
    CHECK_AND_COUNT + "redis.call('XADD', KEYS[2], '*', 'u', KEYS[1], 'd', ARGV[1])\nreturn {1, used}"
)
JOURNAL = "bare:{0}:journal"


class BareRedis:
    """The same script, spoken at three depths: redis-py, its connection alone, a socket."""

    def __init__(self, people: People) -> None:
        self.client = get_redis_connection("default")
        self.sha = self.client.script_load(BARE)
        self.sha_with_journal = self.client.script_load(WITH_JOURNAL)
        self.limit = str(people.video_limit)
        self.connection = self.client.connection_pool.get_connection()
        where = self.client.connection_pool.connection_kwargs
        self.socket = socket.create_connection((where["host"], where["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def evalsha(self, user: User) -> Any:
        return self.client.evalsha(self.sha, 1, f"bare:{{0}}:{user.pk}", "1", self.limit)

    def evalsha_with_journal(self, user: User) -> Any:
        return self.client.evalsha(
            self.sha_with_journal, 2, f"bare:{{0}}:{user.pk}", JOURNAL, "1", self.limit
        )

    def on_connection(self, user: User) -> Any:
        self.connection.send_command("EVALSHA", self.sha, 1, f"bare:{{0}}:{user.pk}", "1", self.limit)
        return self.connection.read_response()

    def on_socket(self, user: User) -> bytes:
        parts = ("EVALSHA", self.sha, "1", f"bare:{{0}}:{user.pk}", "1", self.limit)
        command = f"*{len(parts)}\r\n" + "".join(f"${len(part)}\r\n{part}\r\n" for part in parts)
        self.socket.sendall(command.encode())
        return self.socket.recv(4096)

    def forget_journal(self, results: list[Any]) -> None:
        self.client.delete(JOURNAL)

    def close(self) -> None:
        self.client.connection_pool.release(self.connection)
        self.socket.close()


class BareSql:
    """One conditional UPDATE of the same row that our store counts in."""

    def __init__(self, people: People) -> None:
        self.period_start: datetime = people.period.start
        self.limit = people.video_limit

    def orm_update(self, user: User) -> int:
        records = UsageRecord.objects.filter(user_id=user.pk, billing_period_start=self.period_start)
        return records.filter(video_count__lte=self.limit - 1).update(
            video_count=F("video_count") + 1, updated_at=timezone.now()
        )

    def cursor_update(self, user: User) -> int:
        with connections[population_now()].cursor() as cursor:
            cursor.execute(UPDATE, [timezone.now(), user.pk, self.period_start, self.limit - 1])
            return int(cursor.rowcount)

    def update_and_journal(self, user: User) -> int:
        with connections[population_now()].cursor() as cursor:
            cursor.execute(
                UPDATE_AND_JOURNAL,
                [timezone.now(), user.pk, self.period_start, self.limit - 1, timezone.now()],
            )
            return int(cursor.rowcount)


_TABLE, _HOLDS = UsageRecord._meta.db_table, UsageReservation._meta.db_table
UPDATE = (
    f"UPDATE {_TABLE} SET video_count = video_count + 1, updated_at = %s "  # noqa: S608
    "WHERE user_id = %s AND billing_period_start = %s AND video_count <= %s"
)
UPDATE_AND_JOURNAL = (
    f"WITH counted AS ({UPDATE} RETURNING id, user_id) "  # noqa: S608
    f"INSERT INTO {_HOLDS} (id, user_id, record_id, metric, amount, settled_amount, state, expires_at, "
    "created_at, settled_at) SELECT gen_random_uuid(), user_id, id, 'video', 1, 1, 'committed', now, now, now "
    "FROM counted, (SELECT %s::timestamptz AS now) AS moment"
)
