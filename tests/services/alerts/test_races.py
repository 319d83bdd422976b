"""One message for each user, metric, period and threshold, whatever races: on a real database server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.models import UsageAlert
from django_videoq_billing.services import usage_alerts
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from tests.databases import ON_SQLITE
from tests.factories import make_plan, subscribed
from tests.services.alerts.told import sweep, told
from tests.usage.test_concurrency import at_once

pytestmark = pytest.mark.postgres
LIMIT = 100


@pytest.fixture(autouse=True)
def _as_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share a memory that processes do not: here nobody remembers anything."""
    assert not ON_SQLITE
    monkeypatch.setattr(usage_alerts, "LARGEST_MEMORY", 0)


@pytest.fixture
def uploader(_every_store: None) -> User:
    return subscribed(make_plan(video_limit=LIMIT))


def _held(user: User) -> None:
    UsageTracker.reserve(user, Metric.VIDEO).commit()


def _counted(user: User) -> None:
    UsageTracker.count(user, Metric.VIDEO)


def _in_a_transaction(user: User) -> None:
    with transaction.atomic():
        UsageTracker.reserve(user, Metric.VIDEO).commit()


@pytest.mark.parametrize("use", [_held, _counted, _in_a_transaction])
def test_all_upload_at_once_and_the_sweep_runs_beside(
    uploader: User, heard: list[UsageAlert], use: Callable[[User], None]
) -> None:
    def work(number: int) -> None:
        for turn in range(LIMIT // 4):
            if number == 0 and turn % 5 == 0:
                sweep()
            with suppress(QuotaExceeded):
                use(uploader)

    at_once(work)
    sweep()

    thresholds = told(uploader)
    assert UsageTracker.get_usage(uploader)["video_count"] == LIMIT
    assert len(thresholds) == len(set(thresholds))
    assert 100 in thresholds
    assert sorted(alert.threshold for alert in heard) == sorted(thresholds)


def test_all_notice_the_same(uploader: User, heard: list[UsageAlert]) -> None:
    period = entitlement_for(uploader).period

    def work(number: int) -> Any:
        return usage_alerts.notice(uploader.pk, Metric.VIDEO, period, 90, LIMIT)

    made = [alert for alert in at_once(work) if alert is not None]

    assert told(uploader) == [90]
    assert [alert.pk for alert in made] == [alert.pk for alert in heard]
    assert len(made) == 1


def test_a_user_who_is_deleted_meanwhile(uploader: User) -> None:
    period = entitlement_for(uploader).period
    pk = uploader.pk
    uploader.delete()
    assert usage_alerts.notice(pk, Metric.VIDEO, period, 90, LIMIT) is None
    assert not UsageAlert.objects.exists()
