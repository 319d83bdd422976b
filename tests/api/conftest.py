from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import client_of
from tests.api.shop import Shop, settings_for
from tests.sandbox.driver import Driver, running


@pytest.fixture
def client() -> APIClient:
    """A client that nobody has signed in with."""
    return APIClient()


@pytest.fixture
def signed_in(user: Any) -> APIClient:
    """A client with the session of `user`, who is on the default plan."""
    return client_of(user)


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[Driver]:
    """A local Stripe in its own process, whose time is the real time."""
    pytest.importorskip("starlette", reason="the [sandbox] extra is not installed")
    with running("--seed", "api") as driver:
        yield driver


@pytest.fixture
def shop(stripe_process: Driver, settings: Any, db: None) -> Shop:
    stripe_process.reset()
    settings.VIDEOQ_BILLING = settings_for(stripe_process.url)
    return Shop(stripe_process)
