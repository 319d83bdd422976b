"""The server is started anew, or its answer is lost."""

from __future__ import annotations

import time

import pytest
import redis

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore, wire
from django_videoq_billing.usage.redis_store.keys import shard_of_hold
from django_videoq_billing.usage.redis_store.scripts import Shard
from tests.proxy import Proxy
from tests.usage.faults.looks import flushed, trimmed, used

pytestmark = pytest.mark.django_db(transaction=True)


class TestTheServerIsStartedAnew:
    def test_between_two_calls_on_one_connection(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, server: redis.Redis
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1)
        server.script_flush()  # a new server knows no scripts
        network.drop()

        assert store.reserve(entitled, Metric.VIDEO, 1).granted
        assert used(store, entitled) == 2

    def test_and_has_lost_that_a_plan_was_changed(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        plan_of_two: SubscriptionPlan,
        server: redis.Redis,
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 2)
        SubscriptionPlan.objects.filter(pk=plan_of_two.pk).update(video_limit=3)  # tells the store nothing

        server.script_flush()

        assert store.reserve(entitled, Metric.VIDEO, 1).granted


class TestAnAnswerIsLost:
    def test_and_the_repetition_finds_the_hash_out_of_date(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        shard: Shard,
    ) -> None:
        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
        network.lose_next_answer(meanwhile=lambda: server.delete(shard.keys.trust))

        hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (hold.granted, hold.replayed) == (True, False)
        assert used(store, entitled) == 2
        store.release(hold.hold_id)
        assert used(store, entitled) == flushed(store) == 1

    @pytest.mark.parametrize("meanwhile", ["nothing", "out of date"])
    def test_of_a_count_that_is_found_in_the_journal(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        shard: Shard,
        meanwhile: str,
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_answer(lambda: meanwhile == "nothing" or server.delete(shard.keys.trust))

        assert store.reserve(entitled, Metric.VIDEO, 1, hold=False).granted

        assert flushed(store) == used(store, entitled) == 2

    def test_of_a_count_that_has_never_arrived(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        network: Proxy,
        server: redis.Redis,
        shard: Shard,
    ) -> None:
        """The journal reaches far enough back to say so, and it is counted then."""
        a_minute_ago = (server.time()[0] - 60) * 1000
        server.xadd(shard.keys.journal, {"v": ""}, id=f"{a_minute_ago}-1")
        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_question()

        assert store.reserve(entitled, Metric.VIDEO, 1, hold=False).granted

        assert flushed(store) == used(store, entitled) == 2

    def test_of_a_count_that_a_flush_has_moved_in_the_meantime(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, redis_url: str
    ) -> None:
        """Nobody can tell whether it was carried out, so nobody says that it was, or does it again."""
        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_answer(meanwhile=lambda: trimmed(redis_url))

        with pytest.raises(UsageUnavailable):
            store.reserve(entitled, Metric.VIDEO, 1, hold=False)

        assert not store.reserve(entitled, Metric.VIDEO, 1).granted, "it was"

    def test_of_an_undo_which_leaves_everybody_else_with_redis(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The database knows less than Redis, so it must not count because of one broken connection."""
        monkeypatch.setattr(wire, "RETRY_SECONDS", 60.0)
        counted = store.reserve(entitled, Metric.VIDEO, 1, hold=False)
        network.lose_next_answer()

        store.undo(counted)

        assert shard_of_hold(store.reserve(entitled, Metric.VIDEO, 2).hold_id) is not None
        assert flushed(store) == 2

    def test_while_the_network_swallows_everything(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1)
        network.silence()
        began = time.monotonic()

        with pytest.raises(UsageUnavailable):
            store.flush()
        assert store.reserve(entitled, Metric.VIDEO, 1).granted, "the database counts"
        assert time.monotonic() - began < 10, "nobody waits for ever"

        network.heal()
        assert flushed(store) == used(store, entitled) == 2


def test_a_server_that_cannot_write_is_read_before_the_database_counts(
    store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
) -> None:
    """Its disk is full, or its replicas are gone: what it has counted is not admitted once more."""
    store.reserve(entitled, Metric.VIDEO, 1)
    server.config_set("min-replicas-to-write", 1)
    try:
        granted = [store.reserve(entitled, Metric.VIDEO, 1).granted for _ in range(2)]
    finally:
        server.config_set("min-replicas-to-write", 0)

    assert granted == [True, False]
    assert flushed(store) == used(store, entitled) == 2
