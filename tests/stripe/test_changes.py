"""Changing and ending a plan: each case that the contract names."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    Conflict,
    NotScheduledForCancellation,
    PermissionDenied,
    StripeFailure,
)
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from tests.factories import make_plan
from tests.stripe.lifecycles import fail_next_renewal, first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


class TestChange:
    def test_preview_says_what_change_then_charges(self, site: Site) -> None:
        first_subscription(site)
        site.advance(days=10)
        said = plan_changes.preview(site.user, site.premium)
        assert (said.immediate, said.currency) == (True, "USD")
        assert said.amount_due == sum(line["amount_cents"] for line in said.lines)
        plan_changes.change(site.user, site.premium)
        site.settle()
        assert site.snapshot()["ledger"][0][:3] == ("proration", "succeeded", said.amount_due)

    def test_preview_of_a_downgrade_names_the_limits_that_are_passed(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        UsageTracker.increment_video_count(site.user, 51)
        said = plan_changes.preview(site.user, site.standard)
        assert (said.immediate, said.amount_due) == (False, 0)
        assert said.effective_at == site.row.current_period_end
        assert said.exceeded == [Metric.VIDEO]

    def test_an_upgrade_counts_at_once(self, site: Site) -> None:
        first_subscription(site)
        row = plan_changes.change(site.user, site.premium)
        assert row.plan == site.premium
        assert entitlement_for(site.user).video_limit is None

    def test_a_downgrade_waits_for_the_end_of_the_period(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        row = plan_changes.change(site.user, site.standard)
        assert (row.plan, row.pending_plan) == (site.premium, site.standard)
        assert row.pending_plan_effective_at == row.current_period_end

    def test_a_second_downgrade_replaces_the_first(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        small = site._paid("small", 500, video_limit=5)
        plan_changes.change(site.user, site.standard)
        assert plan_changes.change(site.user, small).pending_plan == small

    def test_down_to_free_is_a_cancellation(self, site: Site) -> None:
        first_subscription(site)
        row = plan_changes.change(site.user, site.free)
        assert row.cancel_at_period_end
        assert row.plan == site.standard

    def test_month_to_year_is_at_once_and_back_waits(self, site: Site) -> None:
        first_subscription(site)
        price = site.sandbox.price(12000, interval="year")
        yearly = make_plan(price_cents=12000, interval="year", stripe_price_id=price.id)
        row = plan_changes.change(site.user, yearly)
        assert row.plan == yearly
        assert (row.current_period_end - row.current_period_start).days == 365
        assert plan_changes.change(site.user, site.standard).pending_plan == site.standard

    def test_the_same_plan(self, site: Site) -> None:
        first_subscription(site)
        with pytest.raises(AlreadyOnPlan):
            plan_changes.change(site.user, site.standard)

    def test_an_old_price_keeps_its_plan(self, site: Site) -> None:
        first_subscription(site)
        site.standard.stripe_price_id = site.sandbox.price(1500).id
        site.standard.save()
        site.advance(days=31, hours=2)
        site.settle()
        assert site.row.plan == site.standard
        assert [line[-1] for line in site.snapshot()["ledger"]] == ["standard", "standard"]

    def test_a_change_that_is_pending_at_an_old_price_keeps_its_plan(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        plan_changes.change(site.user, site.standard)
        site.standard.stripe_price_id = site.sandbox.price(1500).id
        site.standard.save()
        row = plan_changes.sync(site.user)
        assert (row.pending_plan, row.pending_plan_effective_at) == (site.standard, row.current_period_end)
        site.advance(days=32)
        site.settle()
        assert (site.row.plan, site.row.pending_plan) == (site.standard, None)

    def test_an_unknown_price_keeps_the_plan_and_is_reported(
        self, site: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        first_subscription(site)
        site.sandbox.change(str(site.row.stripe_subscription_id), site.sandbox.price(777).id)
        site.settle()
        assert site.row.plan == site.standard
        assert "unknown_price" in caplog.messages

    def test_a_declined_card_changes_nothing(self, site: Site) -> None:
        first_subscription(site)
        customer = site.row.stripe_customer_id
        site.sandbox.control(f"customers/{customer}/fail_next", payments=1, reason="card_declined")
        with pytest.raises(StripeFailure, match="card was declined"):
            plan_changes.change(site.user, site.premium)
        site.settle()
        assert site.row.plan == site.standard

    @pytest.mark.parametrize("to", ["free", "small"])
    def test_a_declined_upgrade_keeps_the_change_that_was_pending(self, site: Site, to: str) -> None:
        first_subscription(site)
        small = site._paid("small", 500, video_limit=5)
        plan_changes.change(site.user, small if to == "small" else site.free)
        before = site.snapshot()
        customer = site.row.stripe_customer_id
        site.sandbox.control(f"customers/{customer}/fail_next", payments=1, reason="card_declined")
        with pytest.raises(StripeFailure):
            plan_changes.change(site.user, site.premium)
        site.settle()
        after = site.snapshot()
        assert {name: after[name] for name in ("plan", "status", "ending", "pending")} == {
            name: before[name] for name in ("plan", "status", "ending", "pending")
        }

    def test_while_a_payment_is_open_only_cancelling_is_possible(self, site: Site) -> None:
        first_subscription(site)
        fail_next_renewal(site, payments=9)
        assert site.row.status == "past_due"
        with pytest.raises(Conflict, match="open payment"):
            plan_changes.change(site.user, site.premium)
        assert plan_changes.change(site.user, site.free).cancel_at_period_end

    def test_during_a_trial_it_is_at_once(self, site: Site) -> None:
        on_trial(site, site.standard, site.premium)
        assert plan_changes.preview(site.user, site.premium).amount_due == 0
        row = plan_changes.change(site.user, site.premium)
        assert (row.plan, row.status) == (site.premium, "trialing")
        site.settle()
        assert site.snapshot()["ledger"] == []

    def test_a_trial_of_one_plan_is_none_of_another_that_has_none(self, site: Site) -> None:
        on_trial(site, site.standard)
        assert plan_changes.preview(site.user, site.premium).amount_due == 4900
        row = plan_changes.change(site.user, site.premium)
        assert (row.plan, row.status) == (site.premium, "active")
        site.settle()
        assert [line[-1] for line in site.snapshot()["ledger"]] == ["premium"]

    def test_nor_where_it_cannot_be_paid(self, site: Site) -> None:
        on_trial(site, site.standard)
        customer = site.row.stripe_customer_id
        site.sandbox.control(f"customers/{customer}/fail_next", payments=1, reason="card_declined")
        with pytest.raises(StripeFailure, match="card was declined"):
            plan_changes.change(site.user, site.premium)
        site.settle()
        assert (site.row.plan, site.row.status) == (site.standard, "trialing")

    def test_without_a_paid_subscription(self, site: Site) -> None:
        with pytest.raises(Conflict, match="no paid subscription"):
            plan_changes.change(site.user, site.premium)
        with pytest.raises(Conflict, match="no paid subscription"):
            plan_changes.preview(site.user, site.premium)


def on_trial(site: Site, *plans: SubscriptionPlan) -> None:
    """All of these plans have a trial, and the user begins that of the first."""
    for plan in plans:
        plan.trial_days = 14
        plan.save()
    site.checkout(plans[0])
    site.settle()
    assert site.row.status == "trialing"


class TestCancelling:
    def test_twice_is_once(self, site: Site) -> None:
        first_subscription(site)
        first, second = plan_changes.cancel(site.user), plan_changes.cancel(site.user)
        assert (first.cancel_at_period_end, second.cancel_at_period_end) == (True, True)
        assert first.cancelled_at == second.cancelled_at

    def test_at_once_is_for_staff(self, site: Site) -> None:
        first_subscription(site)
        with pytest.raises(PermissionDenied):
            plan_changes.cancel(site.user, immediate=True)
        stranger: Any = object()  # a user model need not know of staff
        with pytest.raises(PermissionDenied):
            plan_changes.cancel(site.user, immediate=True, by=stranger)
        User.objects.filter(pk=site.user.pk).update(is_staff=True)
        row = plan_changes.cancel(User.objects.get(pk=site.user.pk), immediate=True)
        assert row.status == "cancelled"
        assert entitlement_for(site.user).plan_slug == "free"

    def test_usage_of_the_period_is_not_given_again(self, site: Site) -> None:
        first_subscription(site)
        UsageTracker.increment_video_count(site.user, 10)
        User.objects.filter(pk=site.user.pk).update(is_staff=True)
        plan_changes.cancel(User.objects.get(pk=site.user.pk), immediate=True)
        assert UsageTracker.can_upload_video(site.user)[0] is False

    def test_there_is_nothing_to_reactivate(self, site: Site) -> None:
        with pytest.raises(NotScheduledForCancellation):
            plan_changes.reactivate(site.user)
        first_subscription(site)
        with pytest.raises(NotScheduledForCancellation):
            plan_changes.reactivate(site.user)


def test_a_schedule_that_somebody_else_has_just_made_is_the_one(site: Site) -> None:
    """Both have read the subscription before either made it."""
    site.checkout(site.premium)
    site.settle()
    seen = StripeService.retrieve_subscription(str(site.row.stripe_subscription_id))
    for _ in range(2):
        StripeService.schedule_price(seen, str(site.standard.stripe_price_id))
    assert len(site.sandbox.api.subscription_schedules.list().data) == 1

    site.sandbox.api.subscriptions.cancel(seen.stripe_id)
    with pytest.raises(StripeFailure):
        StripeService.schedule_price(seen, str(site.standard.stripe_price_id))
