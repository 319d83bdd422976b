"""A hash is rebuilt while something happens, or from rows and a journal that disagree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import transaction
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UsageJournal, UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Entitlement, Metric, Reservation
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store import rebuild as rebuilding
from django_videoq_billing.usage.redis_store.keys import encoded
from django_videoq_billing.usage.redis_store.scripts import Shard
from tests.proxy import Proxy
from tests.usage.faults.looks import LATER, flushed, used

pytestmark = pytest.mark.django_db(transaction=True)


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

    def test_a_flush_cleans_up_a_hold_that_the_rows_just_read_call_open(
        self, store: RedisUsageStore, entitled: EntitlementOf, shard: Shard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold = store.reserve(entitled, Metric.VIDEO, 1)
        store.flush()
        store.release(hold.hold_id)
        store.forget(entitled.user_id)
        read = rebuilding._holds

        def read_and_flush(*given: Any) -> list[Any]:
            found = list(read(*given))
            store.flush()
            return found

        monkeypatch.setattr(rebuilding, "_holds", read_and_flush)

        store.reserve(entitled, Metric.VIDEO, 2, hold=False)

        assert shard.open_holds(encoded(entitled.user_id)) == []

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


def test_a_record_that_is_rolled_back_takes_nothing_with_it_that_redis_has_counted(
    store: RedisUsageStore, entitled: EntitlementOf, network: Proxy
) -> None:
    """The database had made it, for a Redis that was away at the beginning of the transaction."""
    with transaction.atomic():
        network.cut()
        store.reserve(entitled, Metric.VIDEO, 1)
        network.heal()
        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
        transaction.set_rollback(True)

    assert flushed(store) == 1
    store.forget(entitled.user_id)
    assert used(store, entitled) == 1


class TestRedisGoesBackInTime:
    """A replica that lagged becomes the master and knows the scripts already."""

    def test_the_next_flush_notices(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.flush()
        before = {key: server.dump(key) for key in server.scan_iter()}
        store.commit(first.hold_id)
        store.reserve(entitled, Metric.VIDEO, 1, hold=False)
        store.flush()
        server.flushall()
        for key, value in before.items():
            server.restore(key, 0, value or b"")

        store.flush()

        assert flushed(store) == used(store, entitled) == 2
        assert store.reserve(entitled, Metric.VIDEO, 1, key="k").state == "committed"
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted

    def test_and_its_clock_is_behind(
        self, store: RedisUsageStore, entitled: EntitlementOf, server: redis.Redis
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1)
        store.flush()
        UsageJournal.objects.filter(last_id__gt="0-0").update(last_id="9999999999999-7")
        server.flushall()

        store.reserve(entitled, Metric.VIDEO, 1)

        assert flushed(store) == used(store, entitled) == 2
