"""Nobody gets more by changing plans to and fro than by staying: docs/security.md says what is not stopped."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.exceptions import Conflict, QuotaExceeded, SubscriptionExists
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def used(user: User) -> int:
    return UsageTracker.report(user).counters.video_count


def test_up_down_and_up_again_is_one_period(site: Site) -> None:
    first_subscription(site)
    UsageTracker.increment_video_count(site.user, 50)
    for plan in (site.premium, site.standard, site.premium, site.standard, site.premium):
        plan_changes.change(site.user, plan)
        site.settle()
        assert used(site.user) == 50
    assert site.row.plan == site.premium
    assert UsageRecord.objects.filter(user=site.user).count() == 1
    paid = [line[2] for line in site.snapshot()["ledger"]]
    assert sorted(paid) == [1200, 3700], "down gives nothing back, up again costs nothing more"


def test_taking_a_cancellation_back_gives_nothing_anew(site: Site) -> None:
    first_subscription(site)
    UsageTracker.increment_video_count(site.user, 50)
    for _ in range(2):
        plan_changes.cancel(site.user)
        plan_changes.reactivate(site.user)
        site.settle()
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(site.user, "video")


def test_who_cancels_cannot_buy_the_same_period_anew(site: Site) -> None:
    """The paid period is used up, and ends when it ends: a second one is not begun in its middle."""
    first_subscription(site)
    UsageTracker.increment_video_count(site.user, 50)
    plan_changes.cancel(site.user)
    with pytest.raises(SubscriptionExists):
        start_checkout(site.user, site.premium, "https://testserver/ok", "https://testserver/no")


def test_after_a_refund_what_was_used_stays_used(site: Site) -> None:
    """Staff ends it and gives the money back: the free plan counts on in the period that was begun."""
    first_subscription(site)
    UsageTracker.increment_video_count(site.user, 50)
    site.user.is_staff = True
    plan_changes.cancel(site.user, immediate=True)
    site.settle()
    assert site.row.status == "cancelled"
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(site.user, "video")


def test_a_plan_given_by_hand_counts_on(db: None) -> None:
    user = make_user()
    UsageTracker.increment_video_count(user, 3)
    for videos in (5, 4):
        assign_plan(user, make_plan(video_limit=videos))
        assert used(user) == 3


def test_a_payment_that_fails_leaves_no_way_up(site: Site) -> None:
    first_subscription(site)
    customer = site.row.stripe_customer_id
    site.sandbox.control(f"customers/{customer}/fail_next", payments=9, reason="card_declined")
    site.advance(days=32)
    site.settle()
    assert site.row.status == "past_due"
    with pytest.raises(Conflict):
        plan_changes.change(site.user, site.premium)
    with pytest.raises(SubscriptionExists):
        start_checkout(site.user, site.premium, "https://testserver/ok", "https://testserver/no")
