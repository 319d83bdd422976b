"""Overdue holds of many users on one shard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_videoq_billing.services.entitlements import entitlement_of
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore
from tests.factories import make_plan, make_user, subscribed
from tests.usage.redis_store.neighbours import neighbour_of


def test_every_batch_is_told_of(redis_store: RedisUsageStore, user: Any) -> None:
    plan = make_plan(video_limit=3)
    others = [subscribed(plan, make_user(pk=neighbour_of(user.pk))) for _ in range(2)]
    everybody = [entitlement_of(one) for one in (user, *others)]
    for number, entitled in enumerate(everybody):
        for _ in range(number + 1):
            redis_store.reserve(entitled, Metric.VIDEO, 1)

    assert redis_store.expire(timezone.now() + timedelta(hours=2), batch_size=1) == 6

    assert [redis_store.get(entitled()).video_count for entitled in everybody] == [0, 0, 0]
