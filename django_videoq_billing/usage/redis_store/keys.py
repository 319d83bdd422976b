"""Which keys hold what. All keys of one user share the hash tag of a shard, and so one slot of a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from uuid import UUID
from zlib import crc32

from django_videoq_billing.types import Metric, Period, UserId

SHARDS = 64
"""Fixed for good: a user's shard, and the shard written into every hold's id, must not change."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

CODE = {Metric.VIDEO: b"v", Metric.TRANSCRIPTION: b"a"}
METRIC = {"v": Metric.VIDEO, "a": Metric.TRANSCRIPTION}


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """The keys of one shard, and the prefixes of those of its users, holds and client keys."""

    trust: bytes
    cleaned: bytes
    journal: bytes
    due: bytes
    user: bytes
    open: bytes
    hold: bytes
    client: bytes


@cache
def shard_keys(prefix: str, shard: int) -> ShardKeys:
    tag = f"{{{prefix}:{shard:02}}}:"
    return ShardKeys(
        *(f"{tag}{name}".encode() for name in ("trust", "cleaned", "journal", "due")),
        *(f"{tag}{name}:".encode() for name in ("u", "o", "h", "k")),
    )


def shard_of(user: bytes) -> int:
    return crc32(user) % SHARDS


def encoded(user_id: UserId) -> bytes:
    return b"%d" % user_id if type(user_id) is int else str(user_id).encode()


def new_hold_id(shard: int) -> UUID:
    """A random id that says where its hold is kept: version 8, its last byte the shard (RFC 9562, 5.8)."""
    number = int.from_bytes(os.urandom(15), "big") << 8 | shard
    number = number & ~(0xF000 << 64) & ~(0xC000 << 48)
    return UUID(int=number | 0x8000 << 64 | 0x8000 << 48)


def shard_of_hold(hold_id: UUID) -> int | None:
    """The shard, or None for a hold that was made in the database while Redis was away."""
    return hold_id.int & 0xFF if hold_id.version == 8 else None


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def moment(since_1970: int) -> datetime:
    return EPOCH + timedelta(microseconds=since_1970)


@lru_cache(maxsize=4096)
def period(start: bytes, end: bytes) -> Period:
    return Period(moment(int(start)), moment(int(end)))
