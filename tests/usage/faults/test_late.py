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


class TestASettledHoldIsEvictedBeforeItIsFlushed:
    """It has a time to live, and a full Redis takes what has one; the rows still call it held."""

    def test_and_what_was_committed_is_not_given_back(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        store.commit(hold.hold_id)
        server.delete(*server.keys("*:h:*"))
        store.forget(entitled.user_id)
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted

        with pytest.raises(Conflict):
            store.release(hold.hold_id)
        with later():
            assert not store.reserve(entitled, Metric.VIDEO, 1).granted
            assert flushed(store) == used(store, entitled) == 2

    def test_and_its_key_is_known(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.flush()
        store.commit(hold.hold_id)
        server.delete(*server.keys("*:h:*"), *server.keys("*:k:*"))
        store.forget(entitled.user_id)

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.replayed, again.id, again.state) == (True, hold.id, "committed")
        assert flushed(store) == used(store, entitled) == 1

    def test_and_what_was_released_is_not_given_back_twice(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.reserve(entitled, Metric.VIDEO, 1)
        store.flush()
        store.release(hold.hold_id)
        server.delete(*server.keys(f"*:h:{hold.hold_id.hex}"))
        store.forget(entitled.user_id)
        other = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (other.granted, other.replayed) == (True, False)
        assert store.release(hold.hold_id) is False
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted


def test_with_what_amount_a_hold_was_committed_is_known_though_redis_was_emptied(
    store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
    store.commit(hold.hold_id, 2)
    store.flush()
    server.flushall()
    assert store.reserve(entitled, Metric.VIDEO, 1, key="k").replayed

    assert store.settled_amount(hold.hold_id) == 2


def test_a_key_given_up_in_the_database_is_not_kept_in_redis(
    store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, server: redis.Redis
) -> None:
    network.cut()
    hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
    network.heal()
    store.reserve(entitled, Metric.VIDEO, 1)
    assert server.keys("*:k:*")
    store.release(hold.hold_id)

    store.reserve(entitled, Metric.VIDEO, 1)

    assert not server.keys("*:k:*")
