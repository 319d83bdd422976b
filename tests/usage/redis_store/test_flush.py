"""From the journal into the rows: exactly once, whoever flushes, however often, and however it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from django_videoq_billing.models import UsageJournal, UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore, flush
from django_videoq_billing.usage.redis_store.keys import encoded, shard_of
from tests.factories import make_plan, subscribed


def counted() -> list[tuple[int, int]]:
    return list(UsageRecord.objects.order_by("pk").values_list("video_count", "transcription_seconds"))


def states() -> list[str]:
    return sorted(UsageReservation.objects.values_list("state", flat=True))


def test_a_flush_makes_the_rows_that_the_database_store_would_have_made(
    redis_store: RedisUsageStore, entitled: EntitlementOf, user: Any
) -> None:
    redis_store.commit(redis_store.reserve(entitled, Metric.VIDEO, 1).hold_id)
    redis_store.release(redis_store.reserve(entitled, Metric.VIDEO, 1).hold_id)
    redis_store.reserve(entitled, Metric.TRANSCRIPTION, 30, key="k")
    assert counted() == []

    assert redis_store.flush() == 6  # the record is opened, three holds, two outcomes

    record = UsageRecord.objects.get()
    assert (record.user, record.period) == (user, entitled().period)
    assert (record.video_limit, record.transcription_limit_seconds) == (3, 600)
    assert counted() == [(1, 30)]
    assert record.last_video_uploaded_at is not None
    assert states() == ["committed", "held", "released"]
    held = UsageReservation.objects.get(state="held")
    assert (held.user, held.metric, held.amount, held.key) == (user, "transcription", 30, "k")
    assert held.expires_at > timezone.now()


def test_what_was_flushed_is_not_flushed_again(redis_store: RedisUsageStore, entitled: EntitlementOf) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 1)

    assert redis_store.flush() > 0
    assert redis_store.flush() == 0
    redis_store.reserve(entitled, Metric.VIDEO, 1)
    assert redis_store.flush() == 1
    assert counted() == [(2, 0)]


def test_a_flusher_that_dies_before_its_commit_has_done_nothing(
    redis_store: RedisUsageStore, another_process: RedisUsageStore, entitled: EntitlementOf
) -> None:
    hold = redis_store.reserve(entitled, Metric.VIDEO, 2)
    with transaction.atomic():
        redis_store.flush()
        transaction.set_rollback(True)  # what the database does when the flusher is gone
    assert counted() == []

    redis_store.commit(hold.hold_id)
    another_process.flush()

    assert counted() == [(2, 0)]
    assert states() == ["committed"]


def test_a_flusher_that_dies_after_its_commit_leaves_the_journal_to_the_next(
    redis_store: RedisUsageStore, entitled: EntitlementOf, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 1)
    with monkeypatch.context() as patched:
        patched.setattr(flush, "_tidy", lambda *arguments: None)  # killed before it tidied up
        redis_store.flush()
    journal = redis_store.shards[shard_of(encoded(entitled.user_id))].keys.journal
    assert client.xlen(journal) == 2

    redis_store.reserve(entitled, Metric.VIDEO, 1)
    assert redis_store.flush() == 1

    assert counted() == [(2, 0)]
    assert client.xlen(journal) == 1, "the entry applied last stays, as the mark of this history"


def test_batches_smaller_than_the_journal(redis_store: RedisUsageStore) -> None:
    plan = make_plan(video_limit=None)
    everybody = [entitlement_of(subscribed(plan)) for _ in range(5)]
    for entitled in everybody * 4:
        redis_store.commit(redis_store.reserve(entitled, Metric.VIDEO, 2).hold_id, 3)

    assert flush.flush(redis_store.shards, batch=3) == 5 + 2 * 20

    assert counted() == [(12, 0)] * 5
    assert states() == ["committed"] * 20


def test_the_rows_of_a_deleted_user_are_left_out(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 1)
    other = entitlement_of(subscribed(make_plan()))
    redis_store.reserve(other, Metric.VIDEO, 2)
    user.delete()

    redis_store.flush()

    assert counted() == [(2, 0)]
    assert redis_store.flush() == 0


def test_the_record_remembers_the_limits_that_were_in_force(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 1)
    redis_store.flush()
    plan = user.subscription.plan
    plan.video_limit = 9
    plan.save()
    redis_store.reserve(entitled, Metric.VIDEO, 1)

    redis_store.flush()

    assert UsageRecord.objects.get().video_limit == 9


def test_a_client_key_that_goes_from_hold_to_hold(
    redis_store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    for _ in range(3):
        redis_store.release(redis_store.reserve(entitled, Metric.VIDEO, 1, key="k").hold_id)
    redis_store.flush()
    redis_store.commit(redis_store.reserve(entitled, Metric.VIDEO, 1, key="k").hold_id)
    redis_store.flush()

    assert counted() == [(1, 0)]
    assert UsageReservation.objects.get(key="k").state == "committed"


def test_settled_holds_leave_redis_and_are_still_known(
    redis_store: RedisUsageStore, entitled: EntitlementOf, client: Any
) -> None:
    hold = redis_store.reserve(entitled, Metric.VIDEO, 1)
    redis_store.commit(hold.hold_id)
    redis_store.flush()
    assert client.keys(f"*{hold.hold_id.hex}*") == []

    assert redis_store.commit(hold.hold_id) is False
    assert redis_store.get(entitled()).video_count == 1


def test_an_expired_hold_that_redis_has_forgotten_is_counted_when_it_is_committed_after_all(
    redis_store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    hold = redis_store.reserve(entitled, Metric.VIDEO, 2)
    redis_store.expire(timezone.now() + timedelta(days=1))
    redis_store.flush()
    assert redis_store.get(entitled()).video_count == 0

    assert redis_store.commit(hold.hold_id)

    assert redis_store.get(entitled()).video_count == 2
    assert redis_store.reserve(entitled, Metric.VIDEO, 1).used == 3
    redis_store.flush()
    assert counted() == [(3, 0)]


def test_each_shard_has_its_place(redis_store: RedisUsageStore) -> None:
    plan = make_plan(video_limit=None)
    everybody = [entitlement_of(subscribed(plan)) for _ in range(30)]
    for entitled in everybody:
        redis_store.reserve(entitled, Metric.VIDEO, 1)

    redis_store.flush()

    places = dict(UsageJournal.objects.exclude(last_id="0-0").values_list("shard", "last_id"))
    assert set(places) == {shard_of(encoded(entitled.user_id)) for entitled in everybody}
