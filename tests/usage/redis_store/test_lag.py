"""How far the rows are behind, told while anything may be going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.types import Metric, StoreLag
from django_videoq_billing.usage import DatabaseUsageStore, UsageStore
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.client import TIMEOUT_SECONDS
from tests.factories import make_plan, subscribed
from tests.proxy import Proxy
from tests.servers import DurableValkey

NOTHING = StoreLag(0, 0)


@pytest.fixture
def network(server: DurableValkey) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def far_store(network: Proxy, settings: Any, transactional_db: None) -> RedisUsageStore:
    """A store that reaches its server through a network that can fall silent."""
    address = f"redis://127.0.0.1:{network.port}/0"
    settings.CACHES = {
        **settings.CACHES,
        "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": address},
    }
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "USAGE_STORE": "redis",
        "USAGE_REDIS_ALIAS": "usage",
    }
    return RedisUsageStore()


def test_what_is_counted_waits_until_it_is_flushed(
    redis_store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    assert redis_store.lag() == NOTHING
    redis_store.reserve(entitled, Metric.VIDEO, 1, hold=False)
    redis_store.reserve(entitled, Metric.VIDEO, 1, hold=False)

    with time_machine.travel(timezone.now() + timedelta(minutes=7)):
        lag = redis_store.lag()
        assert 419 < lag.seconds < 425
        assert lag.waiting == redis_store.flush() == 3, "the record's opening, and two videos"

    assert redis_store.lag() == NOTHING


def test_what_was_flushed_before_does_not_count(
    redis_store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 1, hold=False)
    redis_store.flush()
    redis_store.reserve(entitled, Metric.VIDEO, 1, hold=False)
    other = subscribed(make_plan(slug="another"))
    redis_store.reserve(entitlement_of(other), Metric.VIDEO, 1, hold=False)

    lag = redis_store.lag()
    assert lag.waiting == redis_store.flush() == 3
    assert lag.seconds < 10


def test_what_was_told_while_redis_was_away_waits_too(
    durable_store: Callable[..., UsageStore], server: DurableValkey, entitled: EntitlementOf
) -> None:
    store = durable_store()
    hold = store.reserve(entitled, Metric.VIDEO, 1).hold_id
    store.flush()
    server.kill()
    store.commit(hold)
    server.come_back()

    lag = durable_store().lag()
    assert lag.waiting == 1
    assert 0 < lag.seconds < 30


def test_a_silent_server_does_not_keep_anybody_waiting(far_store: RedisUsageStore, network: Proxy) -> None:
    assert far_store.lag() == NOTHING
    network.silence()

    for time_outs in (1, 0):  # for whoever finds out, and for whoever comes next
        began = time.monotonic()
        with pytest.raises(UsageUnavailable):
            far_store.lag()
        assert time.monotonic() - began < (time_outs + 1) * TIMEOUT_SECONDS


@pytest.mark.usefixtures("far_store")
def test_nor_a_probe_that_asks_for_health(network: Proxy, settings: Any) -> None:
    token = "for-probes-of-the-tests_1"
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "HEALTH_TOKEN": token}
    client, address = Client(headers={"Authorization": f"Bearer {token}"}), reverse("videoq_billing:health")
    assert client.get(address).status_code == 200
    network.silence()

    began = time.monotonic()
    answer = client.get(address)
    assert time.monotonic() - began < 2 * TIMEOUT_SECONDS
    assert {name: check["status"] for name, check in answer.json()["checks"].items()} == {
        "database": "ok",
        "usage_store": "failing",
        "webhooks": "ok",
        "failed_webhooks": "ok",
        "jobs": "ok",
    }
    assert answer.status_code == 503


@pytest.mark.usefixtures("cluster_settings", "transactional_db")
def test_in_a_cluster() -> None:
    store = RedisUsageStore()
    for name in "abcde":
        user = subscribed(make_plan(slug=name))
        store.reserve(entitlement_of(user), Metric.VIDEO, 1, hold=False)

    assert store.lag().waiting == store.flush() == 10
    assert store.lag() == NOTHING


def test_the_database_is_never_behind_itself() -> None:
    assert DatabaseUsageStore().lag() == NOTHING
