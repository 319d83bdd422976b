"""A warning belongs to what was committed, and never stands in its way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.models import Notification, UsageAlert
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.signals import quota_threshold_reached
from django_videoq_billing.types import Metric
from tests.services.alerts.told import sweep, told


def _rolled_back(user: User) -> None:
    with transaction.atomic():
        UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
        transaction.set_rollback(True)


def test_a_transaction_that_is_rolled_back_tells_nothing(user: User, heard: list[UsageAlert]) -> None:
    _rolled_back(user)

    assert (told(user), heard) == ([], [])


@pytest.mark.parametrize("_every_store", ["database"], indirect=True)
def test_it_is_not_remembered_either(user: User) -> None:
    _rolled_back(user)

    UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
    assert told(user) == [80]


def test_what_redis_has_counted_all_the_same_is_found_by_the_sweep(user: User) -> None:
    _rolled_back(user)

    sweep()
    assert told(user) == ([80] if UsageTracker.get_usage(user)["video_count"] else [])


def test_inside_a_transaction_it_is_told_after_the_commit(user: User, heard: list[UsageAlert]) -> None:
    with transaction.atomic():
        UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
        assert (told(user), heard) == ([], [])

    assert told(user) == [80]
    assert [alert.threshold for alert in heard] == [80]


@contextmanager
def _no_table() -> Iterator[None]:
    table = UsageAlert._meta.db_table
    with connection.schema_editor() as editor:
        editor.alter_db_table(UsageAlert, table, "elsewhere")
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(UsageAlert, "elsewhere", table)


@pytest.mark.parametrize("inside", [False, True])
def test_a_warning_that_cannot_be_written_fails_nothing(
    user: User, inside: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "django_videoq_billing")
    with _no_table():
        if inside:
            with transaction.atomic():
                UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
                Notification.objects.count()  # the host's transaction goes on
        else:
            UsageTracker.reserve(user, Metric.VIDEO, 8).commit()

    assert [record.message for record in caplog.records] == ["usage_alert_failed"]
    assert UsageTracker.get_usage(user)["video_count"] == 8
    assert told(user) == []
    assert sweep() == 1
    assert told(user) == [80]


def test_a_listener_that_fails_fails_nothing(user: User) -> None:
    def receiver(**_: object) -> None:
        raise ZeroDivisionError

    quota_threshold_reached.connect(receiver)
    try:
        UsageTracker.reserve(user, Metric.VIDEO, 8).commit()
    finally:
        quota_threshold_reached.disconnect(receiver)
    assert told(user) == [80]


def test_below_the_thresholds_and_where_it_was_told_already_nothing_is_asked(user: User) -> None:
    def queries() -> int:
        hold = UsageTracker.reserve(user, Metric.VIDEO)
        with CaptureQueriesContext(connection) as sql:
            hold.commit()
        return len(sql.captured_queries)

    first, *below = (queries() for _ in range(7))
    assert set(below) == {first}
    assert queries() > first
    UsageTracker.reserve(user, Metric.VIDEO).release()
    assert told(user) == [80]

    user.subscription.plan.video_limit = 1000
    user.subscription.plan.save()
    UsageTracker.count(user, Metric.VIDEO, 842)
    told_before = told(user)
    assert [queries() for _ in range(5)] == [first] * 5
    assert told(user) == told_before
