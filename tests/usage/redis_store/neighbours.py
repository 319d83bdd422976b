"""Users whose counters lie on the same shard."""

from __future__ import annotations

from itertools import count

from django_videoq_billing.usage.redis_store.keys import encoded, shard_of

_taken = [10**9]  # ids far from those that databases give by themselves, and none twice


def neighbour_of(pk: int) -> int:
    """The id of a new user whose counters lie on the same shard."""
    wanted = shard_of(encoded(pk))
    _taken.append(
        next(other for other in count(max(pk, _taken[-1]) + 1) if shard_of(encoded(other)) == wanted)
    )
    return _taken[-1]
