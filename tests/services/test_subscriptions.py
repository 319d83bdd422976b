from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, QuotaExceeded
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import default_plan, entitlement_for
from django_videoq_billing.services.subscriptions import (
    assign_default_plan,
    assign_plan,
    users_without_subscription,
)
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user, subscribed

pytestmark = pytest.mark.django_db


def test_an_assigned_plan_counts_from_the_next_request(user: User, plan: SubscriptionPlan) -> None:
    for _ in range(3):
        UsageTracker.reserve(user, "video").commit()
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(user, "video")
    assign_plan(user, plan)
    hold = UsageTracker.reserve(user, "video")
    assert (hold.reservation.used, hold.reservation.limit) == (4, 5)


def test_usage_and_period_stay_when_the_plan_changes(user: User, plan: SubscriptionPlan) -> None:
    UsageTracker.reserve(user, "video", 2).commit()
    before = entitlement_for(user)
    assign_plan(user, make_plan(video_limit=1))
    assert entitlement_for(user).period == before.period
    assert UsageTracker.get_usage(user)["video_count"] == 2
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(user, "video")


def test_assigning_twice_is_assigning_once(user: User, plan: SubscriptionPlan) -> None:
    assert assign_plan(user, plan).pk == assign_plan(user, plan).pk
    assert UserSubscription.objects.get(user=user).plan == plan


def test_assigning_to_a_user_without_a_subscription_gives_one(user: User, plan: SubscriptionPlan) -> None:
    assert not UserSubscription.objects.exists()
    assert assign_plan(user, plan).plan == plan


@pytest.mark.parametrize("status", ["cancelled", "unpaid", "paused", "incomplete_expired", "past_due"])
def test_assigning_gives_access_again(status: str, plan: SubscriptionPlan) -> None:
    user = subscribed(make_plan(), status=status)
    assign_plan(user, plan)
    assert entitlement_for(user).plan_slug == plan.slug


@pytest.mark.parametrize("status", ["active", "past_due", "unpaid"])
def test_a_subscription_that_stripe_bills_is_refused(status: str, plan: SubscriptionPlan) -> None:
    old = make_plan()
    user = subscribed(old, stripe_subscription_id="sub_1", status=status)
    with pytest.raises(Conflict, match="billed by Stripe; change it there"):
        assign_plan(user, plan)
    row = UserSubscription.objects.get(user=user)
    assert (row.plan, row.status) == (old, status)


def test_a_yearly_plan_lets_the_running_month_end_first(user: User) -> None:
    before = entitlement_for(user).period
    assign_plan(user, make_plan(interval="year"))
    assert entitlement_for(user).period == before
    with time_machine.travel(before.end, tick=False):
        after = entitlement_for(user).period
    assert after.start == before.end
    assert after.end - after.start >= timedelta(days=365)


def test_everybody_without_a_subscription_gets_the_default_plan() -> None:
    users = [make_user() for _ in range(5)]
    paying = subscribed(make_plan())
    assert users_without_subscription() == 5
    assert list(assign_default_plan(batch_size=2)) == [2, 2, 1]
    assert users_without_subscription() == 0
    assert list(assign_default_plan()) == []
    rows = UserSubscription.objects.exclude(user=paying)
    assert {row.user_id for row in rows} == {user.pk for user in users}
    assert {(row.plan.slug, row.status) for row in rows} == {("free", "active")}


@time_machine.travel("2026-01-31 10:00:00Z", tick=False)
def test_the_period_begins_now_and_keeps_the_31st() -> None:
    user = make_user()
    list(assign_default_plan())
    with time_machine.travel("2026-03-01 00:00:00Z", tick=False):
        period = entitlement_for(user).period
    assert (period.start.isoformat(), period.end.isoformat()) == (
        "2026-02-28T10:00:00+00:00",
        "2026-03-31T10:00:00+00:00",
    )


def test_it_may_be_stopped_and_run_again() -> None:
    users = [make_user() for _ in range(5)]
    batches = assign_default_plan(batch_size=2)
    assert next(batches) == 2
    del batches
    kept = dict(UserSubscription.objects.values_list("user_id", "created_at"))
    assert sum(assign_default_plan(batch_size=2)) == 3
    assert UserSubscription.objects.count() == len(users)
    assert kept.items() <= dict(UserSubscription.objects.values_list("user_id", "created_at")).items()


def test_users_who_sign_up_meanwhile_are_neither_lost_nor_given_two(plan: SubscriptionPlan) -> None:
    early = [make_user() for _ in range(4)]
    batches = assign_default_plan(batch_size=2)
    next(batches)
    subscribed(plan, user=early[3])  # somebody of a later batch is given another plan first
    late = make_user()
    assert sum(batches) == 2  # early[2], and the one who has just signed up
    assert UserSubscription.objects.count() == 5
    assert UserSubscription.objects.get(user=early[3]).plan == plan
    assert UserSubscription.objects.get(user=late).plan.slug == "free"


def test_a_subscription_made_between_reading_and_writing_a_batch_is_kept(plan: SubscriptionPlan) -> None:
    users = [make_user(), make_user()]
    default_plan()
    raced: list[str] = []

    def race(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT") and not raced:
            raced.append(sql)
            subscribed(plan, user=users[0])  # a request of this user comes just before the batch is written
        return execute(sql, *args)

    with connection.execute_wrapper(race):
        list(assign_default_plan())
    assert raced
    assert UserSubscription.objects.get(user=users[0]).plan == plan
    assert UserSubscription.objects.get(user=users[1]).plan.slug == "free"


def test_assigning_after_a_cancellation_took_effect_gives_the_plan() -> None:
    now = timezone.now()
    user = subscribed(
        make_plan(),
        current_period_start=now - timedelta(days=40),
        current_period_end=now - timedelta(days=10),
        cancel_at_period_end=True,
        cancelled_at=now - timedelta(days=20),
        pending_plan=make_plan(),
        pending_plan_effective_at=now,
    )
    assert entitlement_for(user).plan_slug == "free"

    subscription = assign_plan(user, plan := make_plan())

    assert entitlement_for(user).plan_slug == plan.slug
    assert subscription.pending_plan is None
    assert not subscription.cancel_at_period_end


def test_an_inactive_account_can_be_given_a_plan() -> None:
    user = make_user(is_active=False)

    assert assign_plan(user, plan := make_plan()).plan == plan


def test_what_ended_at_stripe_does_not_stand_in_the_way(plan: SubscriptionPlan) -> None:
    user = subscribed(make_plan(), stripe_subscription_id="sub_1", status="cancelled")

    assign_plan(user, plan)

    assert entitlement_for(user).plan_slug == plan.slug
