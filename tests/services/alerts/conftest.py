from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.models import UsageAlert
from django_videoq_billing.signals import quota_threshold_reached
from tests.factories import make_plan, subscribed


@pytest.fixture(autouse=True, params=["database", "redis"])
def _every_store(request: pytest.FixtureRequest, transactional_db: None) -> None:
    """Warnings are the same, whoever counts. They are written after the commit, so there must be commits."""
    if request.param == "redis":
        request.getfixturevalue("redis_settings")


@pytest.fixture
def user(_every_store: None) -> User:
    """On a plan of 10 videos and 100 minutes."""
    return subscribed(make_plan(video_limit=10, transcription_limit_minutes=100))


@pytest.fixture
def heard() -> Iterator[list[UsageAlert]]:
    """The alerts that the signal told of."""
    alerts: list[UsageAlert] = []

    def receiver(alert: UsageAlert, **_: Any) -> None:
        alerts.append(alert)

    quota_threshold_reached.connect(receiver)
    yield alerts
    quota_threshold_reached.disconnect(receiver)
