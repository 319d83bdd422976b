from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.decorators.views import KINDS
from tests.factories import make_plan, subscribed


@pytest.fixture
def user(db: None) -> Any:
    return subscribed(make_plan(video_limit=2, transcription_limit_minutes=1))


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(params=list(KINDS))
def url(request: pytest.FixtureRequest) -> str:
    """A protected view of every kind."""
    return f"/{request.param}"
