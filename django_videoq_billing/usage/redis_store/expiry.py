"""Holds that are overdue: given back in Redis, and in the rows only where Redis does not know them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django_videoq_billing.types import ReservationState, UserId
from django_videoq_billing.usage.redis_store import flush
from django_videoq_billing.usage.redis_store.keys import encoded, microseconds, shard_of, shard_of_hold
from django_videoq_billing.usage.redis_store.scripts import UNKNOWN, Shard, Shards
from django_videoq_billing.usage.redis_store.settlements import carry_out
from django_videoq_billing.usage.redis_store.wire import StoreAwayError
from django_videoq_billing.usage.rows import give_back, overdue


def expire(shards: Shards, now: datetime, user_id: UserId | None, batch_size: int) -> tuple[int, set[UserId]]:
    """Give back what is overdue, of one user or of everybody: in Redis, then what the rows alone know.

    Returns how many holds, and the users whose counters in Redis are out of date once this is committed.
    """
    at, expired = microseconds(now), 0
    with suppress(StoreAwayError):
        if user_id is not None:
            user = encoded(user_id)
            expired = expire_user(shards[shard_of(user)], user, at)
            flush.flush_shard(shards[shard_of(user)])
        else:
            expired = sum(_expire_shard(shard, at, batch_size) for shard in shards)
            flush.flush(shards)
    of_rows, out_of_date = _expire_rows(shards, now, user_id, batch_size)
    return expired + of_rows, out_of_date


def _expire_shard(shard: Shard, at: int, batch_size: int) -> int:
    expired = 0
    while users := shard.overdue_users(at, batch_size):
        expired += sum(expire_user(shard, user, at) for user in users)
    return expired


def expire_user(shard: Shard, user: bytes, at: int) -> int:
    """Give back what is overdue in Redis; return how many holds. Raises StoreAwayError."""
    carry_out(shard)  # what was told while Redis was away comes before any expiry
    holds = shard.overdue_holds(user, at)
    outcomes = [shard.settle(UUID(hold.decode()), ReservationState.EXPIRED, at=at) for hold in holds]
    unknown = [hold for hold, outcome in zip(holds, outcomes, strict=True) if outcome == UNKNOWN]
    shard.still_due(user, unknown)
    return sum(outcome == 1 for outcome in outcomes)


def _expire_rows(
    shards: Shards, now: datetime, user_id: UserId | None, batch_size: int
) -> tuple[int, set[UserId]]:
    """Give back what is still overdue in the rows and unknown to Redis: it was emptied, or never knew."""
    left = overdue(now) if user_id is None else overdue(now).filter(user_id=user_id)
    found = dict(left.order_by().values_list("pk", "user_id"))
    at = microseconds(now)
    gone = [pk for pk, user in found.items() if _only_rows_know(shards, pk, encoded(user), at)]
    expired = 0
    for first in range(0, len(gone), batch_size):
        part = overdue(now).filter(pk__in=gone[first : first + batch_size])
        expired += give_back(part, batch_size, skip_locked=True)
    return expired, {found[pk] for pk in gone}


def _only_rows_know(shards: Shards, hold_id: UUID, user: bytes, at: int) -> bool:
    """Rows lag behind: what Redis knows of the hold counts, and its journal brings that to the rows."""
    try:
        return shards[shard_of(user)].settle(hold_id, ReservationState.EXPIRED, at=at) == UNKNOWN
    except StoreAwayError:
        return shard_of_hold(hold_id) is None
