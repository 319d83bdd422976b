from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.sandbox.driver import Driver, Receiver
from tests.sandbox.shapes import DESCRIPTION, SHAPES

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.no_cover)  # the sandbox counts in no figure


@pytest.fixture
def sandbox(sandbox_process: Driver) -> Iterator[Driver]:
    """A fresh sandbox; afterwards every answer and event of the test must have Stripe's shape."""
    sandbox_process.reset()
    yield sandbox_process
    if DESCRIPTION.exists():
        complaints = [
            SHAPES.check_response(method, path, status, json.loads(body))
            for method, path, status, body in dict.fromkeys(sandbox_process.recorder.seen)
        ]
        complaints += [SHAPES.check_event(event) for event in sandbox_process.all_events()]
        assert list(dict.fromkeys(filter(None, complaints))) == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def price(sandbox: Driver) -> stripe.Price:
    return sandbox.price(1200)


@pytest.fixture
def premium(sandbox: Driver) -> stripe.Price:
    return sandbox.price(2400)


@pytest.fixture
def customer(sandbox: Driver) -> stripe.Customer:
    return sandbox.customer()


@pytest.fixture
def subscription(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> stripe.Subscription:
    made = sandbox.subscribe(customer.id, price.id)
    sandbox.new_events()
    return made
