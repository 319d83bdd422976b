"""The kit with counters that are in Redis, and so in no transaction that a test could roll back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django_redis import get_redis_connection

from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.testing import BillingSandbox

pytestmark = [
    pytest.mark.usefixtures("redis_settings"),
    pytest.mark.parametrize(
        "committing", [False, pytest.param(True, marks=pytest.mark.django_db(transaction=True))]
    ),
]


@pytest.mark.parametrize("number", [1, 2])
def test_counters_begin_at_zero_and_follow_plan_and_period(
    number: int,
    committing: bool,
    subscribed_user: Callable[..., Any],
    billing_sandbox: BillingSandbox,
    assert_quota: Callable[..., None],
) -> None:
    user = subscribed_user(plan="free", pk=4711)
    assert_quota(user, "video", used=0, limit=3)
    for _ in range(3):
        UsageTracker.count(user, "video")
    assert_quota(user, "video", used=3, allowed=False)

    billing_sandbox.subscribe(user, "standard")
    assert_quota(user, "video", limit=50, allowed=True)
    with UsageTracker.reserve(user, "video", 2):
        pass
    billing_sandbox.run_billing_jobs(["flush_usage"])
    billing_sandbox.renew(user)

    assert_quota(user, "video", used=0, limit=50)
    assert sum(UsageRecord.objects.filter(user=user).values_list("video_count", flat=True)) == 5
    assert get_redis_connection("usage").dbsize() > 0


def test_nothing_of_a_test_stays_in_redis(
    committing: bool, redis_settings: Any, request: pytest.FixtureRequest, db: None
) -> None:
    server = get_redis_connection("usage")
    server.set("{vqb:07}:u:4711", "of the site that uses this Redis, too")
    with BillingSandbox() as billing:
        UsageTracker.count(billing.subscribed_user("free"), "video")
        assert server.dbsize() > 1

    assert server.keys() == [b"{vqb:07}:u:4711"]
