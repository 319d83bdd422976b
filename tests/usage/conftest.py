from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from tests.factories import make_plan, subscribed


@pytest.fixture
def plan_of_two(db: None) -> SubscriptionPlan:
    return make_plan(video_limit=2, transcription_limit_minutes=1)


@pytest.fixture
def subscriber(plan_of_two: SubscriptionPlan) -> Any:
    return subscribed(plan_of_two)


@pytest.fixture
def entitled(subscriber: Any) -> EntitlementOf:
    """What a store is given: it asks when it wants to know."""
    return entitlement_of(subscriber)
