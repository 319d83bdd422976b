from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis.cluster import RedisCluster

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.usage import UsageStore, get_store
from tests.factories import make_plan, subscribed
from tests.servers import valkey, valkey_cluster


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a real Valkey."""
    with valkey() as server:
        yield server.connection_url


@pytest.fixture
def redis_settings(redis_url: str, settings: Any) -> Iterator[Any]:
    """Usage is counted in a Redis that is empty at first."""
    settings.CACHES = {
        **settings.CACHES,
        "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis_url},
    }
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "USAGE_STORE": "redis",
        "USAGE_REDIS_ALIAS": "usage",
    }
    from django_redis import get_redis_connection

    get_redis_connection("usage").flushall()
    yield settings
    get_redis_connection("usage").close()


@pytest.fixture(scope="session")
def cluster_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of a real cluster of three."""
    with valkey_cluster(tmp_path_factory.mktemp("cluster")) as port:
        yield port


@pytest.fixture
def cluster_settings(cluster_port: int, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Usage is counted in a cluster, which the host reaches by a client of its own."""
    client = RedisCluster(host="127.0.0.1", port=cluster_port)
    client.flushall(target_nodes=RedisCluster.PRIMARIES)
    monkeypatch.setattr("tests.servers.cluster_client", lambda: client)
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "USAGE_STORE": "redis",
        "USAGE_REDIS_FACTORY": "tests.servers.cluster_client",
    }
    yield
    client.close()


# What is counted in Redis is no part of a transaction, and a changed plan is told on commit.
COMMITTED = pytest.mark.django_db(transaction=True)


@pytest.fixture(
    params=[
        pytest.param("database", marks=pytest.mark.django_db),
        pytest.param("redis", marks=COMMITTED),
        pytest.param("cluster", marks=COMMITTED),
    ]
)
def store(request: pytest.FixtureRequest) -> UsageStore:
    """Every store passes the same suite."""
    if request.param != "database":
        request.getfixturevalue(f"{request.param}_settings")
    return get_store()


@pytest.fixture
def plan_of_two(db: None) -> SubscriptionPlan:
    return make_plan(video_limit=2, transcription_limit_minutes=1)


@pytest.fixture
def subscriber(plan_of_two: SubscriptionPlan) -> Any:
    return subscribed(plan_of_two)


@pytest.fixture
def entitled(subscriber: Any) -> EntitlementOf:
    """What a store is given: it asks when it wants to know."""
    return entitlement_of(subscriber)
