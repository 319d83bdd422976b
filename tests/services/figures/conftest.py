"""A Monday morning on a site with three plans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from django_videoq_billing.models import (
    SubscriptionPlan,
)
from tests.factories import make_plan
from tests.services.figures.days import MONDAY


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def standard() -> SubscriptionPlan:
    return make_plan(slug="standard", price_cents=1200)


@pytest.fixture
def premium() -> SubscriptionPlan:
    return make_plan(slug="premium", price_cents=30000, interval="year")


@pytest.fixture
def in_yen() -> SubscriptionPlan:
    return make_plan(slug="in-yen", price_cents=1480, currency="JPY")
