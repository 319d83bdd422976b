"""The one local Stripe of a test process, at a moment that only moves when told, and what leads a site to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from tests.sandbox.driver import KEY, START, Driver, running


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Driver]:
    with running("--seed", "tests", "--start", str(START)) as driver:
        yield driver


@pytest.fixture(scope="session")
def api_stripe_process() -> Iterator[Driver]:
    """One whose time is the real time."""
    with running("--seed", "api", "--api-key", "sk_test_for_tests") as driver:
        yield driver


@pytest.fixture
def traveller() -> Iterator[time_machine.Traveller]:
    """The site's clock, standing where a fresh sandbox's stands."""
    with time_machine.travel(datetime.fromtimestamp(START, tz=UTC), tick=False) as coordinates:
        yield coordinates


def leading_to(sandbox: Driver, secret: str) -> dict[str, Any]:
    """The settings of a site whose Stripe is this sandbox."""
    return {
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": secret,
        "STRIPE_API_BASE": sandbox.url,
        "STRIPE_MAX_NETWORK_RETRIES": 0,
        "STRIPE_TIMEOUT_SECONDS": 10,
    }
