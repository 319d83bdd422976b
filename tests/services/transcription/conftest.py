from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from tests.factories import make_plan, subscribed
from tests.services.transcription.rows import LIMIT, other_video


@pytest.fixture
def user(db: None) -> User:
    """On a plan of 10 minutes."""
    return subscribed(make_plan(transcription_limit_minutes=LIMIT // 60))


@pytest.fixture
def video(db: None) -> Group:
    return other_video()


@pytest.fixture(
    autouse=True, params=["database", pytest.param("redis", marks=pytest.mark.django_db(transaction=True))]
)
def _every_store(request: pytest.FixtureRequest) -> None:
    """Jobs end the same, whoever counts."""
    if request.param == "redis":
        request.getfixturevalue("redis_settings")
