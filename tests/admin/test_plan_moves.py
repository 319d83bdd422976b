"""A plan for one customer, copies, and switches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from tests.admin.conftest import log, move, page, staff_who_may, text
from tests.admin.test_plans import FORM
from tests.factories import make_plan, make_user, subscribed


def act(client: Client, action: str, *plans: SubscriptionPlan) -> str:
    form = {"action": action, "_selected_action": [plan.pk for plan in plans]}
    return text(client.post(page("subscriptionplan"), form, follow=True))


@pytest.mark.django_db
class TestACopy:
    def test_is_made_by_one_click_and_harmless(self, admin_client: Client) -> None:
        plan = make_plan(
            name="Pro", slug="pro", price_cents=900, stripe_price_id="price_1", stripe_product_id="prod_1",
            features=["a", "b"], feature_flags={"sso": True},
        )  # fmt: skip
        shown = text(admin_client.post(move(plan, "duplicate"), follow=True))
        assert "This is a copy of “Pro”" in shown
        copy = SubscriptionPlan.objects.get(slug="pro-copy")
        assert (copy.name, copy.is_active, copy.is_public) == ("Pro (copy)", False, False)
        assert (copy.stripe_price_id, copy.stripe_product_id) == (None, None)
        kept = (
            "price_cents",
            "currency",
            "interval",
            "video_limit",
            "features",
            "feature_flags",
            "trial_days",
        )
        assert [getattr(copy, name) for name in kept] == [getattr(plan, name) for name in kept]
        assert log() == ["Made as a copy of pro."]

    def test_of_a_copy_and_a_second_one_have_names_of_their_own(self, admin_client: Client) -> None:
        plan = make_plan(name="N" * 100, slug="s" * 50)
        act(admin_client, "duplicate", plan)
        act(admin_client, "duplicate", *SubscriptionPlan.objects.all())
        copies = SubscriptionPlan.objects.exclude(pk=plan.pk)
        assert copies.count() == 3
        for copy in copies:
            copy.full_clean()

    def test_needs_the_permission_to_add(self) -> None:
        plan = make_plan()
        client = staff_who_may("view_subscriptionplan", "change_subscriptionplan")
        assert client.post(move(plan, "duplicate")).status_code == 403
        act(client, "duplicate", plan)
        assert SubscriptionPlan.objects.count() == 1

    def test_a_get_makes_none(self, admin_client: Client) -> None:
        assert admin_client.get(move(make_plan(), "duplicate")).status_code == 405
        assert SubscriptionPlan.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("activate", "is_active", True),
        ("deactivate", "is_active", False),
        ("list_publicly", "is_public", True),
        ("hide", "is_public", False),
    ],
)
def test_switches(admin_client: Client, action: str, field: str, value: bool) -> None:
    different, same = make_plan(**{field: not value}), make_plan(**{field: value})
    assert "1 plan was changed." in act(admin_client, action, different, same)
    assert set(SubscriptionPlan.objects.values_list(field, flat=True)) == {value}
    assert log() == [f"{field} is now {value}."]


@pytest.mark.django_db
def test_switches_need_the_permission_to_change() -> None:
    plan = make_plan()
    client = staff_who_may("view_subscriptionplan", "sync_plans", "add_subscriptionplan")
    for action in ("activate", "deactivate", "list_publicly", "hide"):
        act(client, action, plan)
    plan.refresh_from_db()
    assert (plan.is_active, plan.is_public) == (True, True)


class TestAPlanForOneCustomer:
    def test_from_the_customers_page_to_a_plan_of_their_own(self, admin_client: Client) -> None:
        user = subscribed(make_plan(), make_user(username="acme"))
        shown = text(admin_client.get(page("usersubscription", "change", user.subscription.pk)))
        link = f"{page('subscriptionplan', 'add')}?is_public=&amp;for_user={user.pk}"
        assert link in shown
        address = link.replace("&amp;", "&")
        assert 'name="is_public" id="id_is_public" checked' not in text(admin_client.get(address)).replace(
            "  ", " "
        )
        answer = admin_client.post(address, FORM, follow=True)
        assert "Assign to a user" in text(answer)
        assert "selected>acme" in text(answer) or f'value="{user.pk}" selected' in text(answer)
        plan = SubscriptionPlan.objects.get(slug="acme")
        shown = text(admin_client.post(move(plan, "assign"), {"user": user.pk}, follow=True))
        assert "The plan “Acme” was assigned to acme." in shown
        assert entitlement_for(user).video_limit == 500
        assert log()[-1] == "Plan acme assigned for good."

    def test_with_an_end(self, admin_client: Client, user: User, plan: SubscriptionPlan) -> None:
        until = (timezone.now() + timedelta(days=9)).replace(second=0, microsecond=0)
        form = {"user": user.pk, "until": f"{until:%Y-%m-%dT%H:%M}"}
        admin_client.post(move(plan, "assign"), form)
        assert UserSubscription.objects.get(user=user).assigned_until == until

    def test_not_to_whom_stripe_bills(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        user = subscribed(make_plan(), stripe_subscription_id="sub_1")
        shown = text(admin_client.post(move(plan, "assign"), {"user": user.pk}))
        assert "billed by Stripe" in shown
        assert log() == []

    def test_not_while_it_is_inactive(self, admin_client: Client, user: User) -> None:
        plan = make_plan(is_active=False)
        assert "Activate it first" in text(admin_client.post(move(plan, "assign"), {"user": user.pk}))
        assert not UserSubscription.objects.filter(plan=plan).exists()

    def test_who_may_not_look_at_users_types_the_name(self, plan: SubscriptionPlan) -> None:
        make_user(username="acme")
        client = staff_who_may("view_subscriptionplan", "assign_plan")
        assert "admin-autocomplete" not in text(client.get(move(plan, "assign")))
        shown = text(client.post(move(plan, "assign"), {"user": "acme"}, follow=True))
        assert "was assigned to acme" in shown
        assert "Select a valid choice" in text(client.post(move(plan, "assign"), {"user": "nobody"}))

    def test_needs_the_permission(self, user: User, plan: SubscriptionPlan) -> None:
        client = staff_who_may("view_subscriptionplan", "change_subscriptionplan", "add_subscriptionplan")
        assert client.post(move(plan, "assign"), {"user": user.pk}).status_code == 403
        assert "Assign to a user" not in text(client.get(page("subscriptionplan", "change", plan.pk)))
        assert not UserSubscription.objects.filter(plan=plan).exists()


@pytest.mark.django_db
def test_a_change_of_limits_counts_at_once_for_all_its_users(admin_client: Client) -> None:
    plan = make_plan(slug="acme", video_limit=5)
    users: list[Any] = [subscribed(plan), subscribed(plan)]
    assert {entitlement_for(user).video_limit for user in users} == {5}
    form = {**FORM, "name": plan.name, "video_limit": "7"}
    assert admin_client.post(page("subscriptionplan", "change", plan.pk), form).status_code == 302
    assert {entitlement_for(user).video_limit for user in users} == {7}
