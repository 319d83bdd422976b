from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_videoq_billing.admin import UserSubscriptionAdmin
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.admin.conftest import page, staff_who_may, text
from tests.factories import make_plan, make_user, subscribed


def change(client: Client, user: Any, **form: Any) -> Any:
    """Send the change page's form, as the page was, but for `form`."""
    now = UserSubscription.objects.get(user=user)
    sent = {"plan": now.plan_id, "status": now.status, **form}
    return client.post(page("usersubscription", "change", now.pk), sent, follow=True)


class TestChangingThePlan:
    def test_counts_from_the_next_request_and_keeps_the_usage(
        self, admin_client: Client, plan: SubscriptionPlan
    ) -> None:
        user = subscribed(make_plan(video_limit=1))
        before = UserSubscription.objects.values("current_period_start", "current_period_end").get()
        UsageTracker.reserve(user, "video").commit()
        assert UsageTracker.can_upload_video(user)[0] is False
        assert "changed successfully" in text(change(admin_client, user, plan=plan.pk))
        assert entitlement_for(user).plan_slug == plan.slug
        assert UsageTracker.can_upload_video(user)[0] is True
        assert UsageTracker.get_usage(user)["video_count"] == 1
        assert UserSubscription.objects.values("current_period_start", "current_period_end").get() == before

    def test_brings_a_lapsed_subscription_back(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(make_plan(), status="cancelled")
        change(admin_client, user, plan=plan.pk)
        assert UserSubscription.objects.get().status == "active"

    def test_status_may_be_chosen_with_it(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(make_plan())
        change(admin_client, user, plan=plan.pk, status="paused")
        row = UserSubscription.objects.get()
        assert (row.plan, row.status) == (plan, "paused")
        assert entitlement_for(user).plan_slug == "free"
        shown = text(admin_client.get(page("usersubscription", "change", row.pk)))
        assert "Limits now come from" in shown
        assert "Free" in shown

    def test_a_period_that_rolled_meanwhile_is_not_rolled_back(
        self, admin_client: Client, plan: SubscriptionPlan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = subscribed(make_plan())
        end = user.subscription.current_period_end
        real = UserSubscriptionAdmin.save_model

        def after_the_roll(*args: Any) -> None:
            UserSubscription.objects.update(
                current_period_start=end, current_period_end=end + timedelta(days=30)
            )
            real(*args)

        monkeypatch.setattr(UserSubscriptionAdmin, "save_model", after_the_roll)
        change(admin_client, user, status="paused", plan=plan.pk)
        row = UserSubscription.objects.get()
        assert (row.status, row.plan, row.current_period_start) == ("paused", plan, end)

    def test_inactive_plans_are_not_offered_but_the_present_one_stays(self, admin_client: Client) -> None:
        mine, gone = make_plan(is_active=False), make_plan(is_active=False)
        custom = make_plan(is_public=False)
        user = subscribed(mine)
        shown = text(admin_client.get(page("usersubscription", "change", user.subscription.pk)))
        assert mine.name in shown
        assert custom.name in shown
        assert gone.name not in shown.split('name="plan"')[1].split("</select>")[0]
        assert "Select a valid choice" in text(change(admin_client, user, plan=gone.pk))
        assert "changed successfully" in text(change(admin_client, user, cancel_at_period_end="on"))

    def test_a_closed_account_can_be_given_a_plan(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(make_plan())
        User.objects.filter(pk=user.pk).update(is_active=False)
        change(admin_client, user, plan=plan.pk)
        assert UserSubscription.objects.get().plan == plan


class TestEndingWithThePeriod:
    def test_is_set_and_taken_back(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(plan)
        change(admin_client, user, cancel_at_period_end="on")
        row = UserSubscription.objects.get()
        assert row.cancel_at_period_end
        assert row.cancelled_at is not None
        assert "Ends" in text(admin_client.get(page("usersubscription")))
        change(admin_client, user)
        row.refresh_from_db()
        assert not row.cancel_at_period_end
        assert row.cancelled_at is None


class TestGivingAPlan:
    def give(self, client: Client, user: Any, plan: SubscriptionPlan) -> Any:
        form = {"user": user.pk, "plan": plan.pk}
        return client.post(page("usersubscription", "add"), form, follow=True)

    def test_to_somebody_who_never_had_one(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = make_user()
        assert "added successfully" in text(self.give(admin_client, user, plan))
        row = UserSubscription.objects.get()
        assert (row.user, row.plan, row.status) == (user, plan, "active")
        assert row.period_anchor == row.current_period_start

    def test_twice_is_an_error_beside_the_field(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(make_plan())
        assert "already exists" in text(self.give(admin_client, user, plan))
        assert UserSubscription.objects.get().plan != plan

    def test_to_a_closed_account(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        self.give(admin_client, make_user(is_active=False), plan)
        assert UserSubscription.objects.get().plan == plan


class TestBilledByStripe:
    @pytest.fixture
    def customer(self, plan: SubscriptionPlan) -> Any:
        return subscribed(plan, stripe_subscription_id="sub_1", stripe_customer_id="cus_1")

    def test_it_can_only_be_looked_at(self, admin_client: Client, customer: Any) -> None:
        shown = text(admin_client.get(page("usersubscription", "change", customer.subscription.pk)))
        assert "sub_1" in shown
        assert "billed by Stripe; change it there" in shown
        assert 'name="_save"' not in shown
        form = {"plan": make_plan().pk, "status": "paused"}
        url = page("usersubscription", "change", customer.subscription.pk)
        assert admin_client.post(url, form).status_code == 403
        customer.subscription.refresh_from_db()
        assert customer.subscription.status == "active"

    @pytest.mark.parametrize("form", [{"status": "paused"}, {"plan": "other"}])
    def test_a_checkout_that_ends_while_the_page_is_open_wins(
        self,
        admin_client: Client,
        plan: SubscriptionPlan,
        monkeypatch: pytest.MonkeyPatch,
        form: dict[str, Any],
    ) -> None:
        user, other = subscribed(plan), make_plan()
        real = UserSubscriptionAdmin.save_model

        def after_the_checkout(*args: Any) -> None:
            UserSubscription.objects.update(stripe_subscription_id="sub_2")
            real(*args)

        monkeypatch.setattr(UserSubscriptionAdmin, "save_model", after_the_checkout)
        form = {"plan": other.pk} if "plan" in form else form
        assert "billed by Stripe; change it there" in text(change(admin_client, user, **form))
        row = UserSubscription.objects.get()
        assert (row.plan, row.status) == (plan, "active")

    def test_the_list_tells_the_two_apart(
        self, admin_client: Client, customer: Any, plan: SubscriptionPlan
    ) -> None:
        local = subscribed(plan)
        found = {
            choice: text(admin_client.get(page("usersubscription"), {"billed_by": choice}))
            for choice in ("stripe", "site", "nonsense")
        }
        assert customer.username in found["stripe"]
        assert local.username not in found["stripe"]
        assert customer.username not in found["site"]
        assert local.username in found["site"]
        assert local.username in found["nonsense"]

    def test_it_is_found_by_its_stripe_id(self, admin_client: Client, customer: Any) -> None:
        assert customer.username in text(admin_client.get(page("usersubscription"), {"q": "cus_1"}))


def test_nobody_deletes_a_subscription_by_itself(admin_client: Client, plan: SubscriptionPlan) -> None:
    """It would come back with the default plan and a fresh allowance."""
    user = subscribed(plan)
    url = page("usersubscription", "delete", user.subscription.pk)
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert UserSubscription.objects.exists()


def test_viewers_see_no_form(plan: SubscriptionPlan) -> None:
    user = subscribed(plan)
    url = page("usersubscription", "change", user.subscription.pk)
    client = staff_who_may("view_usersubscription")
    assert 'name="plan"' not in text(client.get(url))
    assert client.post(url, {"plan": plan.pk, "status": "paused"}).status_code == 403


class TestChoosingTheUser:
    def test_by_name_where_the_user_admin_can_search(self, admin_client: Client) -> None:
        make_user(username="ada")
        assert "admin-autocomplete" in text(admin_client.get(page("usersubscription", "add")))
        found = admin_client.get(
            reverse("admin:autocomplete"),
            {
                "app_label": "videoq_billing",
                "model_name": "usersubscription",
                "field_name": "user",
                "term": "ad",
            },
        )
        assert "ada" in [result["text"] for result in json.loads(found.content)["results"]]

    def test_by_id_where_the_project_has_no_user_admin(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry: Any = admin.site._registry
        monkeypatch.delitem(registry, User)
        shown = text(admin_client.get(page("usersubscription", "add")))
        assert "admin-autocomplete" not in shown
        assert 'name="user"' in shown

    def test_by_id_where_the_user_admin_cannot_search(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(admin.site._registry[User]), "search_fields", ())
        assert "admin-autocomplete" not in text(admin_client.get(page("usersubscription", "add")))
