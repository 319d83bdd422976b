"""Moves in an order, and faults at a moment, that a careless Redis store would get wrong. One test each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import redis
import time_machine
from django.utils import timezone

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Entitlement, Metric, Reservation
from django_videoq_billing.usage import get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore, wire
from django_videoq_billing.usage.redis_store import rebuild as rebuilding
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of, shard_of_hold
from django_videoq_billing.usage.redis_store.scripts import Shard
from tests.proxy import Proxy, proxy

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(hours=1, seconds=1)


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


def used(store: RedisUsageStore, entitled: EntitlementOf) -> int:
    return store.get(entitled()).video_count


def flushed(store: RedisUsageStore) -> int:
    store.flush()
    return UsageRecord.objects.get().video_count


def _trimmed(redis_url: str) -> None:
    """What a flush does to the journals."""
    with redis.Redis.from_url(redis_url) as client:
        for journal in client.scan_iter(match="*journal"):
            client.xadd(journal, {"k": "v"})
            client.xtrim(journal, maxlen=1, approximate=False)


def later() -> Any:
    return time_machine.travel(timezone.now() + LATER, tick=True)


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

    def test_of_a_count_that_a_flush_has_moved_in_the_meantime(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, redis_url: str
    ) -> None:
        """Nobody can tell whether it was carried out, so nobody says that it was, or does it again."""
        store.reserve(entitled, Metric.VIDEO, 1)
        network.lose_next_answer(meanwhile=lambda: _trimmed(redis_url))

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

    def test_a_release_survives_it_too(
        self, store: RedisUsageStore, entitled: EntitlementOf, network: Proxy, server: redis.Redis
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        network.cut()
        store.release(hold.hold_id)
        server.flushall()
        network.heal()

        assert flushed(store) == used(store, entitled) == 0

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


class TestDuringARebuild:
    """What happens after the journal and the rows were read, and before the hash is installed."""

    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
        def arrange(move: Callable[[], object]) -> None:
            moves = [move]

            def look_and_let_it_happen(shard: Shard, entitlement: Entitlement) -> rebuilding.Standing:
                standing = look(shard, entitlement)
                if moves:
                    moves.pop()()
                return standing

            monkeypatch.setattr(rebuilding, "look", look_and_let_it_happen)

        look = rebuilding.look
        return arrange

    @pytest.mark.parametrize(
        ("move", "expected"),
        [
            (lambda store, hold, counted: store.release(hold.hold_id), 1),
            (lambda store, hold, counted: store.commit(hold.hold_id, 0), 1),
            (lambda store, hold, counted: store.undo(counted), 1),
            (lambda store, hold, counted: store.expire(timezone.now() + LATER), 1),
            (lambda store, hold, counted: store.flush(), 2),
            (lambda store, hold, counted: (store.release(hold.hold_id), store.flush()), 1),
            (lambda store, hold, counted: store.shards.wire.client.flushall(), 2),
        ],
        ids=["release", "commit", "undo", "expire", "flush", "release and flush", "emptied"],
    )
    def test_it_is_not_missed(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        meanwhile: Callable[[Callable[[], object]], None],
        move: Callable[[RedisUsageStore, Reservation, Reservation], object],
        expected: int,
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        counted = store.reserve(entitled, Metric.VIDEO, 1, hold=False)
        store.flush()
        store.forget(entitled.user_id)
        meanwhile(lambda: move(store, hold, counted))

        granted = store.reserve(entitled, Metric.VIDEO, 1).granted

        assert granted is (expected == 1)
        assert flushed(store) == used(store, entitled) == 2
        assert store.reserve(entitled, Metric.VIDEO, 1, key="k").replayed is (
            UsageReservation.objects.get(pk=hold.hold_id).key is not None
        )

    def test_a_plan_is_changed(
        self,
        store: RedisUsageStore,
        entitled: EntitlementOf,
        plan_of_two: SubscriptionPlan,
        meanwhile: Callable[[Callable[[], object]], None],
    ) -> None:
        def lower() -> None:
            plan_of_two.video_limit = 1
            plan_of_two.save()

        meanwhile(lower)

        assert not store.reserve(entitled, Metric.VIDEO, 2).granted


class TestTheRowsAndTheJournalDisagree:
    def test_a_hold_expired_in_the_rows_is_committed_in_the_journal(
        self, store: RedisUsageStore, entitled: EntitlementOf
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        store.commit(hold.hold_id, 1)
        store.database.expire(timezone.now() + LATER)

        store.forget(entitled.user_id)

        assert used(store, entitled) == 1
        assert flushed(store) == used(store, entitled) == 1

    def test_a_hold_committed_in_the_rows_expires_in_the_journal(
        self, store: RedisUsageStore, entitled: EntitlementOf, shard: Shard
    ) -> None:
        """Redis came back with an older state."""
        hold = store.reserve(entitled, Metric.VIDEO, 2)
        store.flush()
        store.database.commit(hold.hold_id)
        shard.settle(hold.hold_id, "expired", at=2**52)

        store.forget(entitled.user_id)

        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
        assert flushed(store) == used(store, entitled) == 2

    def test_below_zero_is_nowhere(self, store: RedisUsageStore, entitled: EntitlementOf) -> None:
        """An operator sets the counter back while something is yet to be taken back."""
        counted = store.reserve(entitled, Metric.VIDEO, 2, hold=False)
        store.flush()
        record = UsageRecord.objects.get()
        record.video_count = 0
        record.save()
        assert used(store, entitled) == 0
        store.undo(counted)
        store.reserve(entitled, Metric.VIDEO, 1, hold=False)

        assert used(store, entitled) == flushed(store) == 1


def test_a_shard_is_told_by_the_id(store: RedisUsageStore, entitled: EntitlementOf, network: Proxy) -> None:
    in_redis = store.reserve(entitled, Metric.VIDEO, 1).hold_id
    network.cut()
    in_rows = store.reserve(entitled, Metric.VIDEO, 1).hold_id

    decide: Callable[[UUID], int | None] = shard_of_hold
    assert (decide(in_redis), decide(in_rows)) == (shard_of(encoded(entitled.user_id)), None)
