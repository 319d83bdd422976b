"""USAGE_DURABILITY "sync": nobody is told anything before the rows have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import get_store
from django_videoq_billing.usage.redis_store import RedisUsageStore
from django_videoq_billing.usage.redis_store.keys import CODE, encoded, new_hold_id, shard_of
from django_videoq_billing.usage.redis_store.store import KNOWN
from tests.servers import DurableValkey


@pytest.fixture
def store(redis_store: RedisUsageStore, settings: Any) -> RedisUsageStore:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "USAGE_DURABILITY": "sync"}
    store = get_store()
    assert isinstance(store, RedisUsageStore)
    return store


def in_the_rows() -> tuple[int, list[str]]:
    states = UsageReservation.objects.values_list("state", flat=True)
    return UsageRecord.objects.get().video_count, sorted(states)


def unwritable(
    execute: Callable[..., object], sql: str, params: object, many: bool, context: object
) -> object:
    """A database that can be read and not be written."""
    if sql.startswith(("INSERT", "UPDATE", "DELETE")):
        raise OperationalError("the disk is full")
    return execute(sql, params, many, context)


def test_nothing_is_lost_with_redis(store: RedisUsageStore, entitled: EntitlementOf, client: Any) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 1)
    assert store.reserve(entitled, Metric.VIDEO, 1, hold=False).granted
    store.add(entitled, Metric.TRANSCRIPTION, 50)
    assert in_the_rows() == (2, ["held"])

    client.flushdb()
    assert store.commit(hold.hold_id, 2)
    client.flushdb()

    assert store.get(entitled()).video_count == 3
    assert store.get(entitled()).transcription_seconds == 50
    assert not store.reserve(entitled, Metric.VIDEO, 1).granted


def test_what_is_settled_is_in_the_rows(store: RedisUsageStore, entitled: EntitlementOf) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 1)
    store.commit(hold.hold_id, 2)
    assert in_the_rows() == (2, ["committed"])

    undone = store.reserve(entitled, Metric.VIDEO, 1, hold=False)
    store.undo(undone)
    assert in_the_rows() == (2, ["committed"])


@pytest.mark.parametrize("hold", [True, False])
def test_what_cannot_be_written_is_not_admitted(
    store: RedisUsageStore, entitled: EntitlementOf, hold: bool
) -> None:
    assert store.reserve(entitled, Metric.VIDEO, 1, hold=False).granted

    with connection.execute_wrapper(unwritable), pytest.raises(UsageUnavailable):
        store.reserve(entitled, Metric.VIDEO, 2, hold=hold)

    assert store.get(entitled()).video_count == 1
    assert store.reserve(entitled, Metric.VIDEO, 2).granted


def test_a_hold_that_redis_dies_with_is_not_admitted_and_given_back(
    durable_store: Callable[..., RedisUsageStore], server: DurableValkey, entitled: EntitlementOf
) -> None:
    """It has counted the hold, and is gone when that is to be written down."""

    def killed(execute: Callable[..., object], *query: Any) -> object:
        server.kill()
        return execute(*query)

    store = durable_store(USAGE_DURABILITY="sync")
    assert store.reserve(entitled, Metric.VIDEO, 1).granted
    with connection.execute_wrapper(killed), pytest.raises(UsageUnavailable):
        store.reserve(entitled, Metric.VIDEO, 1)
    server.come_back()
    store = durable_store(USAGE_DURABILITY="sync")
    store.flush()

    assert in_the_rows() == (1, ["expired", "held"])
    assert store.reserve(entitled, Metric.VIDEO, 1).granted


def test_what_somebody_else_has_asked_for_meanwhile_is_not_taken_back(
    store: RedisUsageStore, another_process: RedisUsageStore, entitled: EntitlementOf
) -> None:
    """By its client key; he waits for the rows himself."""
    shard = store.shards[shard_of(encoded(entitled.user_id))]

    def asked_again(*query: Any) -> object:
        code = CODE[Metric.VIDEO]
        heard.append(shard.reserve(encoded(entitled.user_id), code, 1, new_hold_id(shard.number), "k")[0])
        raise OperationalError("the disk is full")

    store.reserve(entitled, Metric.VIDEO, 1)
    heard: list[int] = []
    with connection.execute_wrapper(asked_again), pytest.raises(UsageUnavailable):
        store.reserve(entitled, Metric.VIDEO, 1, key="k")
    assert KNOWN in heard

    assert store.get(entitled()).video_count == 2
    with connection.execute_wrapper(unwritable), pytest.raises(UsageUnavailable):
        another_process.reserve(entitled, Metric.VIDEO, 1, key="k")
    assert another_process.reserve(entitled, Metric.VIDEO, 1, key="k").replayed
    assert in_the_rows() == (2, ["held", "held"])


def test_what_cannot_be_written_is_settled_all_the_same(
    store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    """The journal has it, and the next flush moves it."""
    hold = store.reserve(entitled, Metric.VIDEO, 1)

    with connection.execute_wrapper(unwritable):
        assert store.commit(hold.hold_id, 2)

    assert in_the_rows() == (1, ["held"])
    store.flush()
    assert in_the_rows() == (2, ["committed"])


def test_what_was_settled_before_is_in_the_rows_when_that_is_told(
    store: RedisUsageStore, entitled: EntitlementOf
) -> None:
    """By a call whose answer was lost, or by another that still waits for the rows."""
    hold = store.reserve(entitled, Metric.VIDEO, 1)
    store.shards[shard_of(encoded(entitled.user_id))].settle(hold.hold_id, "committed", 2)

    assert store.commit(hold.hold_id, 2) is False

    assert in_the_rows() == (2, ["committed"])
