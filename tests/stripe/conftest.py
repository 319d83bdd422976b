from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from tests.local_stripe import leading_to
from tests.sandbox.driver import Driver
from tests.sandbox.shapes import DESCRIPTION, SHAPES
from tests.stripe.site import SECRET, Deliver, Site
from tests.stripe.workers import Worker


@pytest.fixture
def sandbox(sandbox_process: Driver, settings: Any) -> Iterator[Driver]:
    """A fresh sandbox, and settings that lead to it; afterwards every event must have had Stripe's shape."""
    sandbox_process.reset()
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **leading_to(sandbox_process, SECRET)}
    yield sandbox_process
    if DESCRIPTION.exists():  # tests/sandbox/test_conformance.py says so where it does not
        complaints = [SHAPES.check_event(event) for event in sandbox_process.all_events()]
        assert list(dict.fromkeys(filter(None, complaints))) == []


@pytest.fixture
def make_site(sandbox: Driver, traveller: time_machine.Traveller, db: None) -> Callable[[Deliver], Site]:
    return lambda deliver: Site(sandbox, traveller, deliver)


@pytest.fixture
def site(make_site: Callable[[Deliver], Site]) -> Site:
    """Events are delivered in order, each once, as things happen."""
    return make_site(Deliver())


@pytest.fixture(scope="session")
def two_workers(django_db_setup: None) -> Iterator[list[Worker]]:
    """Two processes that wait for orders; PostgreSQL alone is seen by all of them."""
    workers = [Worker(), Worker()]
    yield workers
    for worker in workers:
        worker.kill()
