"""The connection that the host has described, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import get_store
from django_videoq_billing.usage.redis_store.keys import shard_of_hold

pytestmark = pytest.mark.django_db(transaction=True)


def test_where_tls_is_asked_for_nothing_is_said_without_it(
    redis_settings: Any, redis_url: str, entitled: EntitlementOf, client: Any
) -> None:
    """The server of the tests speaks plainly, so it is as good as away."""
    encrypted = redis_url.replace("redis://", "rediss://")
    redis_settings.CACHES = {
        **redis_settings.CACHES,
        "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": encrypted},
    }

    hold = get_store().reserve(entitled, Metric.VIDEO, 1)

    assert shard_of_hold(hold.hold_id) is None, "the database counted"
    assert client.keys("*:u:*") == []
