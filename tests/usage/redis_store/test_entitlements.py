"""A changed plan, assignment, subscription or period counts from the next request, in every process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import override_settings
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services import plans, subscriptions
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of, plan_or_period_changed
from django_videoq_billing.types import Metric
from django_videoq_billing.usage.redis_store import RedisUsageStore
from tests.factories import make_plan, subscribed


def change_the_plan(user: Any) -> None:
    plan = user.subscription.plan
    plan.video_limit = 4
    plan.save()


def change_the_plan_by_hand(user: Any) -> None:
    SubscriptionPlan.objects.filter(subscriptions__user=user).update(video_limit=4)
    plan_or_period_changed()


def assign_another(user: Any) -> None:
    subscriptions.assign_plan(user, make_plan(video_limit=4))


def start_a_new_period(user: Any) -> None:
    subscription = user.subscription
    subscription.current_period_start = timezone.now()
    subscription.save()


def correct_the_record(user: Any) -> None:
    record = UsageRecord.objects.get(user=user)
    record.video_count = 2
    record.save()


@pytest.mark.parametrize(
    "change",
    [change_the_plan, change_the_plan_by_hand, assign_another, start_a_new_period, correct_the_record],
)
def test_what_changes_counts_from_the_next_request(
    redis_store: RedisUsageStore,
    another_process: RedisUsageStore,
    user: Any,
    entitled: EntitlementOf,
    change: Callable[[Any], None],
) -> None:
    for _ in range(3):
        assert another_process.reserve(entitled, Metric.VIDEO, 1).granted
    assert not another_process.reserve(entitled, Metric.VIDEO, 1).granted
    another_process.flush()

    change(user)

    assert another_process.reserve(entitled, Metric.VIDEO, 1).granted
    assert redis_store.get(entitled()).video_count in (1, 3, 4)


def test_a_changed_plan_counts_for_users_of_every_shard(redis_store: RedisUsageStore) -> None:
    plan = make_plan(video_limit=1)
    everybody = [entitlement_of(subscribed(plan)) for _ in range(40)]
    for entitled in everybody:
        redis_store.reserve(entitled, Metric.VIDEO, 1)
    assert not any(redis_store.reserve(entitled, Metric.VIDEO, 1).granted for entitled in everybody)

    plan.video_limit = 2
    plan.save()

    assert all(redis_store.reserve(entitled, Metric.VIDEO, 1).granted for entitled in everybody)
    assert not any(redis_store.reserve(entitled, Metric.VIDEO, 1).granted for entitled in everybody)


def test_seed_plans_counts_from_the_next_request(redis_store: RedisUsageStore) -> None:
    def settings_with(limit: int) -> dict[str, Any]:
        free = {"name": "Free", "video_limit": limit}
        return {"PLANS": {"free": free}, "USAGE_STORE": "redis", "USAGE_REDIS_ALIAS": "usage"}

    with override_settings(VIDEOQ_BILLING=settings_with(1)):
        plans.seed_plans()
        entitled = entitlement_of(subscribed(SubscriptionPlan.objects.get(slug="free")))
        store = RedisUsageStore()
        store.reserve(entitled, Metric.VIDEO, 1)
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
    with override_settings(VIDEOQ_BILLING=settings_with(2)):
        plans.seed_plans()

        assert store.reserve(entitled, Metric.VIDEO, 1).granted


def test_access_that_ends_by_the_clock_ends_without_a_word(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    """A grace period runs out, a cancellation takes effect: nothing is saved at that moment."""
    now = timezone.now()
    UserSubscription.objects.filter(user=user).update(
        status="past_due", grace_period_end=now + timedelta(minutes=1)
    )
    SubscriptionPlan.objects.filter(slug="free").update(video_limit=1)
    assert redis_store.reserve(entitled, Metric.VIDEO, 2).granted

    with time_machine.travel(now + timedelta(minutes=1), tick=False):
        refused = redis_store.reserve(entitled, Metric.VIDEO, 1)
        assert (refused.granted, refused.limit) == (False, 1)


def test_what_nobody_told_counts_after_a_while(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    redis_store.reserve(entitled, Metric.VIDEO, 3)
    SubscriptionPlan.objects.filter(subscriptions__user=user).update(video_limit=4)
    assert not redis_store.reserve(entitled, Metric.VIDEO, 1).granted

    with time_machine.travel(timezone.now() + timedelta(seconds=901), tick=False):
        assert redis_store.reserve(entitled, Metric.VIDEO, 1).granted


def test_a_change_that_is_rolled_back_changes_nothing(
    redis_store: RedisUsageStore, user: Any, entitled: EntitlementOf
) -> None:
    from django.db import transaction

    redis_store.reserve(entitled, Metric.VIDEO, 3)
    with transaction.atomic():
        change_the_plan(user)
        transaction.set_rollback(True)

    assert not redis_store.reserve(entitled, Metric.VIDEO, 1).granted
