"""A plan that was given for a time falls back by itself, and the user is told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing import signals
from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import Notification, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import default_plan, entitlement_for
from django_videoq_billing.services.promotions import end_promotions
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, make_user, subscribed

WEEK = timedelta(days=7)


@pytest.fixture
def changes() -> Iterator[list[tuple[str, str]]]:
    """Who listens to `plan_changed` hears of these: from which plan to which."""
    heard: list[tuple[str, str]] = []

    def listen(subscription: UserSubscription, previous_plan: SubscriptionPlan, **kwargs: Any) -> None:
        heard.append((previous_plan.slug, subscription.plan.slug))

    signals.plan_changed.connect(listen)
    yield heard
    signals.plan_changed.disconnect(listen)


def test_the_limits_follow_the_clock_before_any_job_has_run(store: UsageStore) -> None:
    user, end = make_user(), timezone.now() + WEEK
    assign_plan(user, make_plan(video_limit=9), until=end)
    hold = UsageTracker.reserve(user, "video", 4)
    hold.commit()
    assert (hold.reservation.limit, entitlement_for(user).valid_until) == (9, end)
    with time_machine.travel(end, tick=False):
        assert not UsageTracker.can_upload_video(user)[0]
        assert entitlement_for(user).video_limit == 3


@pytest.mark.django_db(transaction=True)
def test_the_job_writes_it_down_and_tells_the_user_once(changes: list[tuple[str, str]]) -> None:
    user, other, end = make_user(), make_user(), timezone.now() + WEEK
    gift = make_plan(slug="gift")
    assign_plan(user, gift, until=end)
    assign_plan(other, gift)
    run = run_job(JOBS["end_promotions"])
    assert run is not None
    assert (run.outcome, run.done) == ("ok", 0)
    with time_machine.travel(end, tick=False):
        assert list(end_promotions()) == [1]
        assert list(end_promotions()) == []
    row = UserSubscription.objects.get(user=user)
    assert (row.plan, row.assigned_until, row.status) == (default_plan(), None, "active")
    told = Notification.objects.get(kind="downgrade_done")
    assert (told.user, told.facts) == (user, {"plan": "free", "from": "gift"})
    assert changes == [("gift", "free")]
    assert UserSubscription.objects.get(user=other).plan == gift


@pytest.mark.django_db
def test_a_job_that_comes_a_week_late_sends_no_old_news(user: User) -> None:
    end = timezone.now() + WEEK
    assign_plan(user, make_plan(), until=end)
    with time_machine.travel(end + WEEK, tick=False):
        assert list(end_promotions()) == [1]
    assert not Notification.objects.filter(kind="downgrade_done").exists()


@pytest.mark.django_db
def test_the_second_promotion_counts(user: User, plan: SubscriptionPlan) -> None:
    now = timezone.now()
    assign_plan(user, plan, until=now + WEEK)
    assign_plan(user, plan, until=now + 2 * WEEK)
    with time_machine.travel(now + WEEK, tick=False):
        assert list(end_promotions()) == []
        assert entitlement_for(user).plan_slug == plan.slug
        assign_plan(user, plan)
    with time_machine.travel(now + 3 * WEEK, tick=False):
        assert list(end_promotions()) == []
        assert entitlement_for(user).plan_slug == plan.slug


@pytest.mark.django_db
def test_what_was_bought_meanwhile_stays(plan: SubscriptionPlan) -> None:
    now = timezone.now()
    user = subscribed(plan, stripe_subscription_id="sub_1", assigned_until=now)
    with time_machine.travel(now + WEEK, tick=False):
        assert list(end_promotions()) == []
        row = UserSubscription.objects.get(user=user)
        assert (row.plan, row.assigned_until) == (plan, None)


@pytest.mark.django_db
def test_what_cannot_be_given(user: User, plan: SubscriptionPlan) -> None:
    with pytest.raises(InvalidRequest, match="future"):
        assign_plan(user, plan, until=timezone.now() - WEEK)
    billed = subscribed(make_plan(), stripe_subscription_id="sub_1")
    with pytest.raises(Conflict):
        assign_plan(billed, plan, until=timezone.now() + WEEK)
    assert not UserSubscription.objects.filter(plan=plan).exists()
