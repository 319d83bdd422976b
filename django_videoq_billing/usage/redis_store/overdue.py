"""Holds whose time is over."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django_videoq_billing.types import ReservationState
from django_videoq_billing.usage.redis_store.scripts import Shard


def users(shard: Shard, at: int, batch_size: int) -> Iterator[bytes]:
    """Who has overdue holds; each is to be given back before the next batch is asked for."""
    while found := shard.overdue_users(at, batch_size):
        yield from found


def give_back(shard: Shard, user: bytes, at: int) -> int:
    """Expire what is overdue of one user; return how many. The scripts decide again: it may be settled by now."""
    holds = [UUID(hold.decode()) for hold in shard.overdue_holds(user, at)]
    outcomes = [shard.settle(hold, ReservationState.EXPIRED, at=at) for hold in holds]
    shard.still_due(user)
    return sum(outcome == 1 for outcome in outcomes)
