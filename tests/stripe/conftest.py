from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from tests.sandbox.driver import KEY, START, Driver, running
from tests.stripe.site import SECRET, Deliver, Site


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Driver]:
    with running("--seed", "site", "--start", str(START)) as driver:
        yield driver


@pytest.fixture
def sandbox(sandbox_process: Driver, settings: Any) -> Driver:
    """A fresh sandbox, and settings that lead to it."""
    sandbox_process.reset()
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": sandbox_process.url,
        "STRIPE_MAX_NETWORK_RETRIES": 0,
        "STRIPE_TIMEOUT_SECONDS": 10,
    }
    return sandbox_process


@pytest.fixture
def traveller() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.fromtimestamp(START, tz=UTC), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def make_site(sandbox: Driver, traveller: time_machine.Traveller, db: None) -> Callable[[Deliver], Site]:
    return lambda deliver: Site(sandbox, traveller, deliver)


@pytest.fixture
def site(make_site: Callable[[Deliver], Site]) -> Site:
    """Events are delivered in order, each once, as things happen."""
    return make_site(Deliver())
