"""Client keys on both sides, and keys of Redis that are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import redis
from django.db import connections
from django.utils import timezone

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore, settlements
from django_videoq_billing.usage.redis_store.away import give_back_unheard
from django_videoq_billing.usage.redis_store.connections import OneServer
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of, shard_of_hold
from django_videoq_billing.usage.redis_store.scripts import Shard
from tests.proxy import Proxy
from tests.usage.faults.looks import LATER, flushed, later, used

pytestmark = pytest.mark.django_db(transaction=True)


class TestClientKeys:
    def test_a_key_used_while_redis_was_away_is_known_when_it_is_back(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        network.cut()
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.commit(first.hold_id)
        network.heal()

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.replayed, again.id, again.state) == (True, first.id, "committed")
        assert flushed(store) == used(store, entitled) == 1

    def test_a_hold_of_the_database_lives_on_in_redis(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        network.cut()
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        second = store.reserve(entitled, Metric.VIDEO, 1, key="l")
        network.heal()
        assert store.reserve(entitled, Metric.VIDEO, 1, key="k").replayed

        assert store.commit(first.hold_id)
        assert store.reserve(entitled, Metric.VIDEO, 1, key="k").state == "committed"
        assert store.release(second.hold_id)
        again = store.reserve(entitled, Metric.VIDEO, 1, key="l")
        assert (again.granted, again.replayed) == (True, False)
        assert flushed(store) == used(store, entitled) == 2

    def test_an_overdue_hold_of_the_database_makes_room_in_redis(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        network.cut()
        store.reserve(entitled, Metric.VIDEO, 2, key="k")
        network.heal()
        store.reserve(entitled, Metric.VIDEO, 2)

        with later():
            again = store.reserve(entitled, Metric.VIDEO, 2, key="k")
            assert (again.granted, again.replayed) == (True, False)
            assert flushed(store) == used(store, entitled) == 2

    def test_a_key_whose_hold_the_database_gave_back_is_free(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 2, key="k")
        store.flush()
        network.cut()
        with later():
            assert store.reserve(entitled, Metric.VIDEO, 1).granted
            network.heal()
            again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

            assert (again.granted, again.replayed, again.state) == (True, False, "held")
            assert flushed(store) == used(store, entitled) == 2

    def test_a_key_counted_in_the_database_after_a_lost_answer_stays_there(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        """Redis holds it as well, for a caller who never heard of it: that one expires."""
        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_answer(meanwhile=network.cut)
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.commit(first.hold_id)
        network.heal()
        store.flush()

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.replayed, again.id, again.state) == (True, first.id, "committed")
        with later():
            store.expire(timezone.now())
            assert store.reserve(entitled, Metric.VIDEO, 1, key="k").id == first.id
            assert flushed(store) == used(store, entitled) == 1


class TestAnAnswerIsLostAndTheKeyAskedForAgain:
    """The first call is answered 503, so its client asks again."""

    @pytest.fixture
    def lost(
        self, redis_settings: Any, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        redis_settings.VIDEOQ_BILLING = {**redis_settings.VIDEOQ_BILLING, "USAGE_REDIS_AWAY": "refuse"}
        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
        network.lose_next_answer(meanwhile=network.cut)
        with pytest.raises(UsageUnavailable):
            store.reserve(entitled, Metric.VIDEO, 1, key="k")
        network.heal()

    def test_and_nobody_takes_the_hold_away_again(
        self, lost: None, store: RedisUsageStore, entitled: EntitlementOf
    ) -> None:
        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        assert (again.granted, again.replayed) == (True, True)
        store.flush()

        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
        assert store.commit(again.hold_id)
        assert flushed(store) == used(store, entitled) == 2

    def test_and_what_he_tells_while_redis_is_away_counts(
        self, lost: None, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        network.cut()
        assert store.commit(again.hold_id)
        assert not store.commit(again.hold_id)
        network.heal()

        assert flushed(store) == used(store, entitled) == 2
        assert UsageReservation.objects.get(pk=again.hold_id).state == "committed"

    def test_too_late(self, lost: None, store: RedisUsageStore, entitled: EntitlementOf) -> None:
        assert flushed(store) == used(store, entitled) == 1, "nobody knew of it"

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.granted, again.replayed) == (True, False)
        assert flushed(store) == used(store, entitled) == 2

    def test_too_late_for_a_redis_that_came_back_empty(
        self, redis_settings: Any, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        """Then the rows know of the hold alone."""
        unheard = store.reserve(entitled, Metric.VIDEO, 1, key="k").hold_id
        store.flush()
        give_back_unheard(unheard, shard_of(encoded(entitled.user_id)))
        server.flushall()

        assert flushed(store) == used(store, entitled) == 0
        assert UsageReservation.objects.get().state == "expired"
        assert store.commit(unheard), "whoever has heard of it after all is counted"
        assert flushed(store) == used(store, entitled) == 1

    def test_the_rows_that_lead_to_it_keep_it(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        """It was flushed before the database counted in Redis's place, and is its answer."""

        def flushed_and_away() -> None:
            RedisUsageStore().flush()
            connections.close_all()  # of the network's thread
            network.cut()

        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_answer(meanwhile=flushed_and_away)
        hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        assert shard_of_hold(hold.hold_id) is not None, "made in Redis"
        network.heal()
        store.flush()

        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
        assert store.commit(hold.hold_id)
        assert flushed(store) == used(store, entitled) == 2

    def test_the_rows_that_hold_another_in_its_place_make_it_nobodys(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, server: redis.Redis
    ) -> None:
        """Even if a process that still reaches Redis was led to it meanwhile: one key counts once."""
        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
        network.lose_next_answer(meanwhile=network.cut)
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        for hold in server.scan_iter(match="*:h:*"):
            server.hset(hold, "r", "1")
        store.commit(first.hold_id)
        network.heal()

        assert flushed(store) == used(store, entitled) == 2

    def test_the_rows_lead_a_later_caller_to_it_who_keeps_it(
        self,
        redis_settings: Any,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        shard: Shard,
    ) -> None:
        """The process that did not hear of it was killed before it had asked the rows."""
        unheard = store.reserve(entitled, Metric.VIDEO, 2, key="k").hold_id
        store.flush()
        give_back_unheard(unheard, shard.number)
        network.cut()
        again = store.reserve(entitled, Metric.VIDEO, 2, key="k")
        assert (again.replayed, again.id) == (True, unheard)
        network.heal()
        store.flush()

        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
        assert store.commit(again.hold_id)
        assert flushed(store) == used(store, entitled) == 2

    def test_the_rows_hold_another_after_a_flush_has_left_it_to_whoever_asked(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """One key counts once, wherever the flush comes in between."""

        def after_a_flush(*given: Any, **named: Any) -> Any:
            for hold in server.scan_iter(match="*:h:*"):
                server.hset(hold, "r", "1")
            settlements.carry_out(direct.shards[shard_of(encoded(entitled.user_id))])
            return reserve(*given, **named)

        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
        direct, reserve = RedisUsageStore(), store.database.reserve
        direct.shards.wire.client = server
        direct.shards.wire._servers = OneServer(server)
        monkeypatch.setattr(store.database, "reserve", after_a_flush)
        network.lose_next_answer(meanwhile=network.cut)
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.commit(first.hold_id)
        network.heal()

        assert flushed(store) == used(store, entitled) == 2


class TestKeysOfRedisAreGone:
    """Evicted, or deleted by hand."""

    def test_the_hold(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis, shard: Shard
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        server.delete(shard.keys.hold + hold.hold_id.hex.encode())

        with later():
            assert store.reserve(entitled, Metric.VIDEO, 1).granted
            assert store.expire(timezone.now()) == 0
            assert flushed(store) == used(store, entitled) == 1

    def test_the_hold_before_it_was_flushed(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis, shard: Shard
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        server.delete(shard.keys.hold + hold.hold_id.hex.encode())

        assert store.expire(timezone.now() + LATER) == 1
        assert flushed(store) == used(store, entitled) == 0

    def test_the_user_while_the_hash_is_rebuilt_twice(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis, shard: Shard
    ) -> None:
        """The slower one has read the journal before a move that the hash, being gone, did not notice."""
        user = encoded(entitled.user_id)
        hold = store.reserve(entitled, Metric.VIDEO, 1)
        server.delete(shard.keys.user + user)
        slower = shard.begin(user)
        server.delete(shard.keys.user + user)
        store.release(hold.hold_id)
        faster = shard.begin(user)

        assert slower[1] != faster[1]


def test_a_shard_is_told_by_the_id(store: RedisUsageStore, entitled: EntitlementOf, network: Proxy) -> None:
    in_redis = store.reserve(entitled, Metric.VIDEO, 1).hold_id
    network.cut()
    in_rows = store.reserve(entitled, Metric.VIDEO, 1).hold_id

    decide: Callable[[UUID], int | None] = shard_of_hold
    assert (decide(in_redis), decide(in_rows)) == (shard_of(encoded(entitled.user_id)), None)
