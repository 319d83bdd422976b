from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, subscribed
from tests.services.transcription.rows import LIMIT, other_video


@pytest.fixture
def user(db: None) -> User:
    """On a plan of 10 minutes."""
    return subscribed(make_plan(transcription_limit_minutes=LIMIT // 60))


@pytest.fixture
def video(db: None) -> Group:
    return other_video()


@pytest.fixture(autouse=True)
def _every_store(store: UsageStore) -> None:
    """Jobs end the same, whoever counts."""
