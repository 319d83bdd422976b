"""Corners of the moves: what was changed in the dashboard meanwhile, what races, what was done before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    BillingError,
    Conflict,
    NotScheduledForCancellation,
    StripeFailure,
)
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.stripe_service import StripeService
from tests.factories import make_plan
from tests.stripe.lifecycles import fail_next_renewal, first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def open_page(site: Site, plan: Any) -> Any:
    return start_checkout(site.user, plan, "https://testserver/ok", "https://testserver/no")


class TestADeletedCustomer:
    def test_the_user_can_pay_again(self, site: Site) -> None:
        first_subscription(site)
        gone = str(site.row.stripe_customer_id)
        site.sandbox.api.customers.delete(gone)
        site.settle()
        assert entitlement_for(site.user).plan_slug == "free"

        site.checkout(site.premium)
        site.settle()
        assert (site.row.plan, site.row.status) == (site.premium, "active")
        assert site.row.stripe_customer_id != gone

    def test_and_a_second_time(self, site: Site) -> None:
        for _ in range(2):
            open_page(site, site.standard)
            site.sandbox.api.customers.delete(str(site.row.stripe_customer_id))
        assert open_page(site, site.standard).is_open
        assert len(site.sandbox.api.customers.list().data) == 1

    def test_a_plan_whose_price_is_gone_is_another_matter(self, site: Site) -> None:
        open_page(site, site.standard)
        customer = site.row.stripe_customer_id
        site.premium.stripe_price_id = "price_gone"
        site.premium.save()
        with pytest.raises(StripeFailure):
            open_page(site, site.premium)
        assert site.row.stripe_customer_id == customer

    def test_deleting_the_user_needs_no_customer(self, site: Site) -> None:
        first_subscription(site)
        site.sandbox.api.customers.delete(str(site.row.stripe_customer_id))
        site.user.delete()
        assert not UserSubscription.objects.filter(stripe_customer_id__isnull=False).exists()


class TestAnOpenPage:
    def test_a_new_price_opens_a_new_page(self, site: Site) -> None:
        first = open_page(site, site.standard)
        site.standard.stripe_price_id, site.standard.price_cents = site.sandbox.price(1500).id, 1500
        site.standard.save()
        second = open_page(site, site.standard)
        assert site.sandbox.api.checkout.sessions.retrieve(second.id).amount_total == 1500
        assert site.sandbox.api.checkout.sessions.retrieve(first.id).status == "expired"

    def test_nobody_pays_on_the_page_of_a_deleted_user(self, site: Site) -> None:
        page = open_page(site, site.standard)
        site.user.delete()
        assert site.sandbox.api.checkout.sessions.retrieve(page.id).status == "expired"

    def test_what_a_deleted_user_had_just_paid_is_ended(self, site: Site) -> None:
        """No event has arrived: the site does not know of the subscription."""
        site.checkout(site.standard)
        site.user.delete()
        [subscription] = site.sandbox.api.subscriptions.list(params={"status": "all"})
        assert subscription.status == "canceled"

    def test_a_page_that_stripe_has_forgotten_is_in_nobodys_way(self, site: Site) -> None:
        first_subscription(site)
        UserSubscription.objects.update(stripe_checkout_session_id="cs_test_forgotten")
        site.user.delete()
        assert not UserSubscription.objects.filter(stripe_customer_id__isnull=False).exists()


class TestCancellingAtOnce:
    def test_what_has_ended_already_is_no_trouble(self, site: Site) -> None:
        first_subscription(site)
        subscription = str(site.row.stripe_subscription_id)
        for _ in range(2):
            assert StripeService.cancel_subscription(subscription, at_period_end=False).status == "cancelled"

    def test_an_unknown_one_is(self, site: Site) -> None:
        with pytest.raises(StripeFailure):
            StripeService.cancel_subscription("sub_unknown", at_period_end=False)


class TestComingBack:
    def test_a_change_that_is_pending_is_no_cancellation(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        plan_changes.change(site.user, site.standard)
        with pytest.raises(NotScheduledForCancellation):
            plan_changes.reactivate(site.user)
        assert site.row.pending_plan == site.standard

    def test_a_cancellation_drops_the_change_and_coming_back_keeps_the_plan(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        plan_changes.change(site.user, site.standard)
        row = plan_changes.cancel(site.user)
        assert (row.cancel_at_period_end, row.pending_plan) == (True, None)
        row = plan_changes.reactivate(site.user)
        assert (row.cancel_at_period_end, row.pending_plan, row.plan) == (False, None, site.premium)
        site.advance(days=32)
        site.settle()
        assert (site.row.plan, site.row.status) == (site.premium, "active")

    def test_a_cancellation_for_a_date_is_undone_too(self, site: Site) -> None:
        """Stripe's portal may set `cancel_at` to the period's end instead of `cancel_at_period_end`."""
        first_subscription(site)
        subscription = str(site.row.stripe_subscription_id)
        end = int(site.row.current_period_end.timestamp())
        site.sandbox.api.subscriptions.update(subscription, params={"cancel_at": end})
        site.settle()
        assert site.row.cancel_at_period_end
        assert not plan_changes.reactivate(site.user).cancel_at_period_end
        assert site.sandbox.api.subscriptions.retrieve(subscription).cancel_at is None

    def test_not_after_the_end(self, site: Site) -> None:
        first_subscription(site)
        plan_changes.cancel(site.user)
        site.advance(days=32)
        with pytest.raises(NotScheduledForCancellation):
            plan_changes.reactivate(site.user)

    def test_while_past_due(self, site: Site) -> None:
        first_subscription(site)
        fail_next_renewal(site, payments=9)
        plan_changes.cancel(site.user)
        row = plan_changes.reactivate(site.user)
        assert (row.status, row.cancel_at_period_end) == ("past_due", False)


class TestChanging:
    @pytest.mark.parametrize(
        ("videos", "minutes", "at_once"),
        [(50, 60, True), (51, None, True), (None, 61, True), (49, 600, False), (500, 59, False)],
    )
    def test_an_equal_price_counts_at_once_where_nothing_is_less(
        self, site: Site, videos: int | None, minutes: int | None, at_once: bool
    ) -> None:
        """Or one could change to and fro for nothing, and use the videos of one and the minutes of the other."""
        first_subscription(site)
        price = site.sandbox.price(1200)
        other = make_plan(
            price_cents=1200,
            stripe_price_id=price.id,
            video_limit=videos,
            transcription_limit_minutes=minutes,
        )
        row = plan_changes.change(site.user, other)
        assert (row.plan, row.pending_plan) == ((other, None) if at_once else (site.standard, other))

    def test_who_pays_an_old_price_keeps_paying_it(self, site: Site) -> None:
        """A price-only change: the plan costs more now, and whoever has it has it already."""
        first_subscription(site)
        old = str(site.standard.stripe_price_id)
        site.standard.stripe_price_id, site.standard.price_cents = site.sandbox.price(1500).id, 1500
        site.standard.save()
        with pytest.raises(AlreadyOnPlan):
            plan_changes.change(site.user, site.standard)
        with pytest.raises(AlreadyOnPlan):
            plan_changes.preview(site.user, site.standard)
        assert site.sandbox.item(str(site.row.stripe_subscription_id)).price.id == old

    def test_while_the_first_payment_is_open_there_is_nothing_to_change(self, site: Site) -> None:
        customer = site.sandbox.customer().id
        UserSubscription.objects.filter(user=site.user).update(stripe_customer_id=customer)
        site.sandbox.subscribe(
            customer, str(site.standard.stripe_price_id), payment_behavior="default_incomplete"
        )
        site.settle()
        assert (site.row.status, site.row.plan) == ("incomplete", site.free)
        for move in (plan_changes.change, plan_changes.preview):
            with pytest.raises(Conflict):
                move(site.user, site.premium)
        with pytest.raises(Conflict):
            plan_changes.cancel(site.user)

    def test_a_downgrade_while_a_payment_is_open(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        fail_next_renewal(site, payments=9)
        with pytest.raises(Conflict, match="open payment"):
            plan_changes.change(site.user, site.standard)
        with pytest.raises(Conflict, match="open payment"):
            plan_changes.preview(site.user, site.standard)

    def test_down_during_a_trial_waits_for_its_end(self, site: Site) -> None:
        site.premium.trial_days = 14
        site.premium.save()
        site.checkout(site.premium)
        site.settle()
        row = plan_changes.change(site.user, site.standard)
        assert (row.plan, row.pending_plan, row.status) == (site.premium, site.standard, "trialing")
        assert row.pending_plan_effective_at == row.trial_end


class TestRaces:
    @pytest.fixture(autouse=True)
    def _many(self, transactional_db: None) -> None:
        """Each thread has a connection of its own."""

    def at_once(self, *moves: Any) -> list[Any]:
        barrier = Barrier(len(moves))

        def play(move: Any) -> Any:
            try:
                barrier.wait(timeout=30)
                return move()
            except BillingError as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(moves)) as pool:
            return list(pool.map(play, moves))

    @pytest.mark.postgres
    def test_two_plans_chosen_at_once_leave_one_open_page(self, site: Site) -> None:
        results = self.at_once(
            *[lambda plan=plan: open_page(site, plan) for plan in (site.standard, site.premium) * 2]
        )
        pages = site.sandbox.api.checkout.sessions.list(params={"status": "open"}).data
        assert len(pages) == 1
        for plan, result in zip((site.standard, site.premium) * 2, results, strict=True):
            assert isinstance(result, Conflict) or result.plan_id == str(plan.pk)

    @pytest.mark.postgres
    def test_a_double_click_upgrades_once(self, site: Site) -> None:
        first_subscription(site)
        self.at_once(*[lambda: plan_changes.change(site.user, site.premium)] * 2)
        site.settle()
        amounts = [invoice.amount_paid for invoice in site.sandbox.api.invoices.list()]
        assert sorted(amounts) == [1200, 3700]
        assert site.row.plan == site.premium

    @pytest.mark.postgres
    def test_a_double_click_schedules_once(self, site: Site) -> None:
        site.checkout(site.premium)
        site.settle()
        results = self.at_once(*[lambda: plan_changes.change(site.user, site.standard)] * 2)
        site.settle()
        assert [type(result) for result in results] == [UserSubscription] * 2
        assert site.row.pending_plan == site.standard
        assert len(site.sandbox.api.subscription_schedules.list().data) == 1
