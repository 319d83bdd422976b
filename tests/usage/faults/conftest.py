from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.usage import get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore, wire
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of
from django_videoq_billing.usage.redis_store.scripts import Shard
from tests.proxy import Proxy, proxy


@pytest.fixture(scope="module")
def network(redis_url: str) -> Iterator[Proxy]:
    with proxy(urlsplit(redis_url).port or 0) as between:
        yield between


@pytest.fixture
def store(
    redis_settings: Any, network: Proxy, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisUsageStore]:
    """The site reaches its Redis through a network of the test's own."""
    monkeypatch.setattr(wire, "RETRY_SECONDS", 0.0)
    redis_settings.CACHES = {
        **redis_settings.CACHES,
        "usage": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{network.port}/0",
        },
    }
    store = get_store()
    assert isinstance(store, RedisUsageStore)
    yield store
    network.heal()


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """What somebody else sees of Redis, whatever the network does."""
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def shard(store: RedisUsageStore, entitled: EntitlementOf) -> Shard:
    return store.shards[shard_of(encoded(entitled.user_id))]
