from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation

from django_videoq_billing.models import SubscriptionPlan
from tests.factories import make_plan, make_user

if find_spec("httpx") and find_spec("starlette"):  # the [sandbox] extra
    from tests.local_stripe import sandbox_process, traveller

    __all__ = ["sandbox_process", "traveller"]


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Throttle counts and the language must not travel from one test to the next."""
    cache.clear()
    with translation.override("en"):
        yield


@pytest.fixture
def user(db: None) -> Any:
    """A user who has just signed up, on the default plan: 3 videos, 30 minutes."""
    return make_user()


@pytest.fixture
def plan(db: None) -> SubscriptionPlan:
    """A plan of 5 videos and 60 minutes that nobody has."""
    return make_plan()
