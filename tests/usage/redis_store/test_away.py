"""Redis goes away and comes back, or comes back as another: nothing is granted twice, nothing settled is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.http import error_response
from django_videoq_billing.models import UsageRecord, UsageReservation, UsageSettlement
from django_videoq_billing.services import subscriptions
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import UsageStore, get_store
from django_videoq_billing.usage.redis_store import connections, wire
from tests.factories import make_plan
from tests.servers import DurableValkey

Start = Callable[..., UsageStore]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether Redis is back is asked at once, not after a second; every idle connection is looked at."""
    monkeypatch.setattr(wire, "RETRY_SECONDS", 0)
    monkeypatch.setattr(connections, "_STALE_SECONDS", 0)


def granted(store: UsageStore, entitled: EntitlementOf, times: int) -> list[bool]:
    return [store.reserve(entitled, Metric.VIDEO, 1, hold=False).granted for _ in range(times)]


def counted() -> int:
    return UsageRecord.objects.get().video_count


def test_the_database_counts_on_and_what_it_counted_is_known_when_redis_is_back(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store()
    assert granted(store, entitled, 1) == [True]
    store.flush()

    server.kill()
    assert granted(store, entitled, 1) == [True]
    assert store.get(entitled()).video_count == 2
    server.come_back()

    assert granted(store, entitled, 2) == [True, False]
    store.flush()
    assert counted() == 3


def test_a_process_that_slept_through_it_does_not_grant_twice_either(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    """The server that came back does not know the scripts; that is how everybody notices."""
    awake, asleep = durable_store(), durable_store()
    assert granted(asleep, entitled, 1) == [True]
    awake.flush()

    server.kill()
    assert granted(awake, entitled, 2) == [True, True]
    server.come_back()

    assert granted(asleep, entitled, 1) == [False]


def test_what_is_added_meanwhile_is_counted(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store()
    store.add(entitled, Metric.VIDEO, 1)
    store.flush()
    server.kill()
    assert store.add(entitled, Metric.VIDEO, 2).video_count == 3
    server.come_back()
    assert store.add(entitled, Metric.VIDEO, 1).video_count == 4
    store.flush()
    assert counted() == 4


def test_what_is_undone_meanwhile_is_taken_back(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store()
    store.add(entitled, Metric.VIDEO, 1)
    counted_at_once = store.reserve(entitled, Metric.VIDEO, 1, hold=False)
    store.flush()
    server.kill()
    store.undo(counted_at_once)
    assert store.get(entitled()).video_count == 1
    server.come_back()
    store.flush()
    assert (store.get(entitled()).video_count, counted()) == (1, 1)


def test_refusing_is_a_503_that_says_when_to_come_back(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store(USAGE_REDIS_AWAY="refuse")
    store.reserve(entitled, Metric.VIDEO, 1)
    server.kill()

    with pytest.raises(UsageUnavailable) as refused:
        store.reserve(entitled, Metric.VIDEO, 1)

    answer = error_response(RequestFactory().post("/"), refused.value)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"usage_unavailable" in answer.content
    server.come_back()
    assert store.reserve(entitled, Metric.VIDEO, 1).used == 2


@pytest.mark.parametrize("mode", ["database", "refuse"])
def test_what_is_settled_meanwhile_is_carried_out_later(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf, mode: str
) -> None:
    store = durable_store(USAGE_REDIS_AWAY=mode)
    kept = store.reserve(entitled, Metric.TRANSCRIPTION, 30)
    given_back = store.reserve(entitled, Metric.VIDEO, 1)
    server.kill()

    assert [store.commit(kept.hold_id, 40), store.commit(kept.hold_id, 50)] == [True, False]
    assert store.release(given_back.hold_id)
    server.come_back()
    store.flush()

    assert store.get(entitled()).transcription_seconds == 40
    assert store.get(entitled()).video_count == 0
    record = UsageRecord.objects.get()
    assert (record.transcription_seconds, record.video_count) == (40, 0)
    assert not UsageSettlement.objects.exists()


def test_a_settlement_that_comes_after_the_hold_has_expired_still_counts(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store()
    hold = store.reserve(entitled, Metric.VIDEO, 2)
    server.kill()
    store.commit(hold.hold_id)
    server.come_back()

    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        store.expire(timezone.now())
        store.flush()

        assert store.get(entitled()).video_count == 2
        assert counted() == 2
        assert UsageReservation.objects.get().state == "committed"


def test_a_hold_made_in_the_database_is_settled_there(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf
) -> None:
    store = durable_store()
    store.reserve(entitled, Metric.VIDEO, 1)
    server.kill()
    one, two = (store.reserve(entitled, Metric.VIDEO, 1) for _ in range(2))
    server.come_back()
    assert not store.reserve(entitled, Metric.VIDEO, 1).granted

    assert store.commit(one.hold_id)
    assert store.release(two.hold_id)

    assert store.get(entitled()).video_count == 2
    assert store.reserve(entitled, Metric.VIDEO, 1).granted
    store.flush()
    assert counted() == 3


def test_a_plan_that_changes_meanwhile_counts_when_redis_is_back(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf, user: Any
) -> None:
    durable_store()
    store = get_store()  # the one that is told of changes
    assert granted(store, entitled, 4) == [True, True, True, False]
    server.kill()
    subscriptions.assign_plan(user, make_plan(video_limit=4))
    server.come_back()

    assert granted(store, entitled, 2) == [True, False]


class TestEmptied:
    def test_what_was_flushed_is_known(
        self, redis_store: UsageStore, entitled: EntitlementOf, client: Any
    ) -> None:
        redis_store.commit(redis_store.reserve(entitled, Metric.VIDEO, 1, key="k").hold_id)
        held = redis_store.reserve(entitled, Metric.VIDEO, 1)
        redis_store.flush()

        client.flushdb()

        assert redis_store.reserve(entitled, Metric.VIDEO, 1, key="k").replayed
        assert redis_store.get(entitled()).video_count == 2
        assert redis_store.release(held.hold_id)
        assert granted(redis_store, entitled, 3) == [True, True, False]
        redis_store.flush()
        assert counted() == 3

    def test_what_was_not_flushed_is_all_that_is_lost(
        self, redis_store: UsageStore, entitled: EntitlementOf, client: Any
    ) -> None:
        granted(redis_store, entitled, 1)
        redis_store.flush()
        granted(redis_store, entitled, 1)

        client.flushdb()

        assert redis_store.get(entitled()).video_count == 1
        assert granted(redis_store, entitled, 3) == [True, True, False]

    def test_a_hold_that_only_the_rows_know_expires(
        self, redis_store: UsageStore, entitled: EntitlementOf, client: Any
    ) -> None:
        redis_store.reserve(entitled, Metric.VIDEO, 3)
        redis_store.flush()
        client.flushdb()

        later = timezone.now() + timedelta(hours=2)
        assert [redis_store.expire(later), redis_store.expire(later)] == [1, 0]

        assert redis_store.get(entitled()).video_count == 0


def test_a_hash_that_was_evicted_is_rebuilt_from_the_rows_and_the_journal(
    redis_store: Any, entitled: EntitlementOf, client: Any
) -> None:
    granted(redis_store, entitled, 1)
    redis_store.flush()
    hold = redis_store.reserve(entitled, Metric.VIDEO, 1)
    client.delete(*client.keys("*:u:*"))
    assert redis_store.get(entitled()).video_count == 2

    redis_store.commit(hold.hold_id, 2)  # while nothing stands for the user
    assert granted(redis_store, entitled, 1) == [False]
    redis_store.release(redis_store.reserve(entitled, Metric.TRANSCRIPTION, 1).hold_id)

    assert redis_store.get(entitled()).video_count == 3
    redis_store.flush()
    assert counted() == 3


def test_a_redis_that_went_back_in_time_is_noticed(
    server: DurableValkey, durable_store: Start, entitled: EntitlementOf, tmp_path: Path
) -> None:
    """As when a replica that lagged behind takes over: the rows know more than Redis does."""
    store = durable_store()
    granted(store, entitled, 1)
    store.flush()
    earlier = server.copy(tmp_path / "copy")
    hold = store.reserve(entitled, Metric.VIDEO, 2)
    store.flush()
    assert counted() == 3

    server.kill()
    server.come_back(earlier)

    assert granted(store, entitled, 1) == [False]
    assert store.release(hold.hold_id)
    assert granted(store, entitled, 3) == [True, True, False]
    store.flush()
    assert counted() == 3
