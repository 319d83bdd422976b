"""The host's client for the usage store, with answers that cannot take for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis
from django.core.cache import InvalidCacheBackendError
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django_redis import get_redis_connection
from redis.cluster import RedisCluster
from redis.sentinel import SentinelConnectionPool

TIMEOUT_SECONDS = 2.0
"""How long an answer may take where the host's own settings for its cache name no time-out."""


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
    """The same connection for ourselves: a flush holds the lock of a row while it asks."""
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        return client  # it finds its servers by the sentinels; the time-outs are the host's to set
    options = {**pool.connection_kwargs, **time_outs(pool.connection_kwargs)}
    return redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options)
    )


def time_outs(options: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: options.get(name) or TIMEOUT_SECONDS for name in ("socket_timeout", "socket_connect_timeout")
    }
