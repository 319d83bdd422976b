"""What is told while Redis is away."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import SubscriptionPlan, UsageReservation, UsageSettlement
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.services.privacy import billing_data_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.away import give_back_unheard
from django_videoq_billing.usage.redis_store.keys import new_hold_id
from django_videoq_billing.usage.redis_store.scripts import Shard
from django_videoq_billing.usage.redis_store.settlements import carry_out
from tests.factories import subscribed
from tests.proxy import Proxy
from tests.usage.faults.looks import flushed, later, used

pytestmark = pytest.mark.django_db(transaction=True)


class TestToldWhileRedisIsAway:
    @pytest.mark.parametrize("actual", [None, 5, 0])
    def test_a_commit_survives_a_redis_that_comes_back_empty(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        actual: int | None,
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        assert store.commit(hold.hold_id, actual)
        server.flushall()
        network.heal()

        assert flushed(store) == used(store, entitled) == (2 if actual is None else actual)
        assert UsageReservation.objects.get().state == "committed"
        assert store.commit(hold.hold_id) is False

    @pytest.mark.parametrize("gone", ["*", "*:h:*"], ids=["everything", "the hold alone"])
    def test_a_release_survives_it_too(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        gone: str,
    ) -> None:
        """Where Redis has evicted the hold alone it goes on to trust what it has counted, until it is told."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        store.release(hold.hold_id)
        server.delete(*server.keys(gone))
        network.heal()

        assert flushed(store) == used(store, entitled) == 0
        assert store.reserve(entitled, Metric.VIDEO, 2).granted

    def test_a_commit_is_carried_out_before_its_hold_expires(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        """What has been used must not be granted a second time when Redis is back after an hour."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        network.cut()
        store.commit(hold.hold_id)
        network.heal()

        with later():
            assert not store.reserve(entitled, Metric.VIDEO, 1).granted
            assert store.expire(timezone.now()) == 0
            assert flushed(store) == used(store, entitled) == 2

    def test_a_commit_is_not_given_back_by_the_database_either(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        store.commit(hold.hold_id)

        with later():
            assert not store.reserve(entitled, Metric.VIDEO, 1).granted
            assert store.expire(timezone.now()) == 0
            network.heal()
            assert flushed(store) == used(store, entitled) == 2

    def test_a_commit_keeps_nobody_elses_hold_from_being_overdue(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, plan_of_two: SubscriptionPlan
    ) -> None:
        told = store.reserve(entitled, Metric.VIDEO, 2)
        network.cut()
        store.commit(told.hold_id)
        other = entitlement_of(subscribed(plan_of_two))
        store.reserve(other, Metric.VIDEO, 2)

        with later():
            assert store.reserve(other, Metric.VIDEO, 2).granted

    @pytest.mark.parametrize(("first", "second"), [("commit", "release"), ("release", "commit")])
    def test_what_was_told_first_stands(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, first: str, second: str
    ) -> None:
        """Whoever says the opposite is told so, as Redis would have done."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        network.cut()
        assert getattr(store, first)(hold.hold_id) is True
        assert getattr(store, first)(hold.hold_id) is False

        with pytest.raises(Conflict):
            getattr(store, second)(hold.hold_id)

        network.heal()
        assert flushed(store) == used(store, entitled) == (2 if first == "commit" else 0)

    def test_a_commit_is_written_down_though_a_flush_carries_out_what_stood_there(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, shard: Shard
    ) -> None:
        """Its hold was unheard of, and asked for again by its client key."""

        def carried_out(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("UPDATE") and UsageSettlement._meta.db_table in sql:
                told._raw_delete(told.db)
            return execute(sql, params, many, context)

        told = UsageSettlement.objects.all()
        store.reserve(entitled, Metric.VIDEO, 2, key="k")
        hold = store.reserve(entitled, Metric.VIDEO, 2, key="k")
        give_back_unheard(hold.hold_id, shard.number)
        network.cut()
        with connection.execute_wrapper(carried_out):
            assert store.commit(hold.hold_id)
        network.heal()

        assert flushed(store) == used(store, entitled) == 2
        assert UsageReservation.objects.get().state == "committed"

    def test_all_of_it_is_carried_out_before_a_hold_expires(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, shard: Shard
    ) -> None:
        """However much was told in an outage."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        others = [new_hold_id(shard.number) for _ in range(1100)]
        released = UsageSettlement.State.RELEASED
        UsageSettlement.objects.bulk_create(
            UsageSettlement(reservation_id=other, shard=shard.number, state=released) for other in others
        )
        network.cut()
        store.commit(hold.hold_id)
        network.heal()

        with later():
            assert not store.reserve(entitled, Metric.VIDEO, 1).granted

    @pytest.mark.parametrize("actual", [None, 0, 5])
    @pytest.mark.parametrize("is_back", [False, True])
    def test_with_what_amount_is_told(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        actual: int | None,
        is_back: bool,
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        store.commit(hold.hold_id, actual)
        if is_back:
            network.heal()

        assert store.settled_amount(hold.hold_id) == (2 if actual is None else actual)

    @pytest.mark.parametrize("outcome", ["commit", "release"])
    def test_it_is_not_forgotten_before_the_rows_have_it(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        shard: Shard,
        outcome: str,
    ) -> None:
        """A flusher is killed when it has carried it out, and what it has told Redis is lost there."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        getattr(store, outcome)(hold.hold_id)
        network.heal()
        carry_out(shard)
        server.flushall()

        assert flushed(store) == used(store, entitled) == (2 if outcome == "commit" else 0)
        assert UsageReservation.objects.get().state == ("committed" if outcome == "commit" else "released")
        assert not UsageSettlement.objects.exists()

    @pytest.mark.parametrize("fault", ["away", "emptied"])
    def test_the_error_of_a_transaction_marked_for_rollback_goes_on(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        fault: str,
    ) -> None:
        """As REST framework marks it; nothing can be written in it, so the hold ends when it is overdue."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()

        with transaction.atomic():
            transaction.set_rollback(True)
            network.cut() if fault == "away" else server.delete(*server.keys("*:h:*"))
            assert store.release(hold.hold_id)
        network.heal()

        with later():
            assert store.reserve(entitled, Metric.VIDEO, 2).granted

    def test_a_user_is_given_what_the_rows_have_of_him(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, subscriber: Any
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()

        assert [row["video_count"] for row in billing_data_of(subscriber)["usage"]] == [2]
