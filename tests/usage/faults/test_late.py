"""Nobody flushes for a while, and Redis forgets what it need not remember."""

from __future__ import annotations

import pytest
import redis

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore
from tests.proxy import Proxy
from tests.usage.faults.looks import flushed, later, used

pytestmark = pytest.mark.django_db(transaction=True)


class TestAKeyGoesToAnotherHoldWhileNobodyFlushes:
    def test_its_day_is_over(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        """Both holds are told of by one batch, which must not stand in its own way for good."""
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.flush()
        store.commit(first.hold_id)
        server.delete(*server.keys("*:k:*"))
        second = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert flushed(store) == used(store, entitled) == 2
        assert UsageReservation.objects.get(key="k").pk == second.id

    def test_the_hold_that_the_database_made_is_overdue(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, server: redis.Redis
    ) -> None:
        network.cut()
        store.reserve(entitled, Metric.VIDEO, 2, key="k")
        network.heal()
        with later():
            second = store.reserve(entitled, Metric.VIDEO, 2, key="k")
            store.flush()
            server.flushall()

            again = store.reserve(entitled, Metric.VIDEO, 2, key="k")

            assert (again.replayed, again.id) == (True, second.id)
