"""What the benchmark must know of the inside of the Redis store: to load it, and to flush it in batches."""

from __future__ import annotations

from django_videoq_billing.usage import get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.flush import flush_shard
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of
from django_videoq_billing.usage.redis_store.scripts import Shards

__all__ = ["current_shards", "encoded", "flush_shard", "shard_of"]


def current_shards() -> Shards:
    store = get_store()
    if not isinstance(store, RedisUsageStore):
        raise TypeError("The Redis store is not in use.")
    return store.shards
