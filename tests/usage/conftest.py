from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.types import Entitlement
from django_videoq_billing.usage import DatabaseUsageStore, UsageStore
from tests.factories import make_plan, subscribed


@pytest.fixture(params=[DatabaseUsageStore])
def store(request: pytest.FixtureRequest, db: None) -> UsageStore:
    """Every store passes the same suite."""
    store_class: type[UsageStore] = request.param
    return store_class()


@pytest.fixture
def plan_of_two(db: None) -> SubscriptionPlan:
    return make_plan(video_limit=2, transcription_limit_minutes=1)


@pytest.fixture
def subscriber(plan_of_two: SubscriptionPlan) -> Any:
    return subscribed(plan_of_two)


@pytest.fixture
def entitled(subscriber: Any) -> Callable[[], Entitlement]:
    """What a store is given: it asks when it wants to know."""
    return lambda: entitlement_for(subscriber)
