"""What the tests of faults look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import redis
import time_machine
from django.utils import timezone

from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.entitlements import EntitlementOf
from django_videoq_billing.usage.redis_store import RedisUsageStore

LATER = timedelta(hours=1, seconds=1)


def used(store: RedisUsageStore, entitled: EntitlementOf) -> int:
    return store.get(entitled()).video_count


def flushed(store: RedisUsageStore) -> int:
    store.flush()
    return UsageRecord.objects.get().video_count


def trimmed(redis_url: str) -> None:
    """What a flush does to the journals."""
    with redis.Redis.from_url(redis_url) as client:
        for journal in client.scan_iter(match="*journal"):
            client.xadd(journal, {"v": ""})
            client.xtrim(journal, maxlen=1, approximate=False)


def later() -> Any:
    return time_machine.travel(timezone.now() + LATER, tick=True)
