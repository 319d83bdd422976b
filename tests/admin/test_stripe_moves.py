"""What support and plan managers do at Stripe."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_sync import sync_customer
from tests.admin.conftest import log, move, page, staff_who_may, text
from tests.stripe_site import OperatorsDriver, row_of

SYNC = "/admin/videoq_billing/subscriptionplan/sync/"


@pytest.fixture
def grace(customer: User) -> User:
    sync_customer(str(row_of(customer).stripe_customer_id))
    return customer


def cancel(client: Client, user: User, when: str) -> str:
    return text(client.post(move(row_of(user), "cancel"), {"when": when}, follow=True))


def test_cancel_and_take_it_back(admin_client: Client, grace: User, stripe_account: OperatorsDriver) -> None:
    assert "The subscription ends" in cancel(admin_client, grace, "period_end")
    assert row_of(grace).cancel_at_period_end
    [subscription] = stripe_account.api.subscriptions.list()
    assert subscription.cancel_at_period_end
    shown = text(admin_client.post(move(row_of(grace), "reactivate"), follow=True))
    assert "The subscription goes on." in shown
    assert not row_of(grace).cancel_at_period_end
    assert log() == ["Cancelled at the period's end.", "Reactivated."]


def test_cancel_at_once_is_for_whoever_is_staff_not_for_the_user(admin_client: Client, grace: User) -> None:
    assert "The subscription has ended." in cancel(admin_client, grace, "now")
    assert (row_of(grace).status, row_of(grace).is_billed) == ("cancelled", False)
    assert log() == ["Cancelled at once."]


def test_where_nothing_is_to_be_taken_back(admin_client: Client, grace: User) -> None:
    shown = text(admin_client.post(move(row_of(grace), "reactivate"), follow=True))
    assert 'class="error"' in shown
    assert log() == []


@pytest.mark.parametrize("name", ["cancel", "reactivate"])
def test_while_stripe_is_away_nothing_happens_and_it_is_said(
    admin_client: Client, grace: User, settings: Any, name: str
) -> None:
    if name == "reactivate":
        cancel(admin_client, grace, "period_end")
    before, entries = row_of(grace).cancel_at_period_end, log()
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_API_BASE": "http://127.0.0.1:9"}
    shown = text(admin_client.post(move(row_of(grace), name), {"when": "period_end"}, follow=True))
    assert "cannot be reached" in shown
    assert (row_of(grace).cancel_at_period_end, log()) == (before, entries)


class TestSyncingPlans:
    def test_is_shown_first_and_done_by_the_button(
        self, admin_client: Client, plans: list[SubscriptionPlan], stripe_account: OperatorsDriver
    ) -> None:
        shown = text(admin_client.get(SYNC))
        for expected in ("standard", "make a product", "make a price", "$49.00 a month"):
            assert expected in shown
        assert not list(stripe_account.api.products.list()), "looking makes nothing"
        shown = text(admin_client.post(SYNC, follow=True))
        assert "Stripe has the plans as they are here." in shown
        assert len(list(stripe_account.api.products.list())) == 2
        assert SubscriptionPlan.objects.exclude(stripe_price_id=None).count() == 2
        assert "Synced to Stripe: make a price $12.00 a month" in log()
        assert "Change this at Stripe" not in text(admin_client.get(SYNC)), "there is nothing left to do"

    def test_the_action_leads_to_the_look(self, admin_client: Client, plans: list[SubscriptionPlan]) -> None:
        form = {"action": "sync_to_stripe", "_selected_action": [plans[0].pk]}
        answer = admin_client.post(page("subscriptionplan"), form)
        assert answer["Location"] == reverse("admin:videoq_billing_subscriptionplan_sync")

    def test_while_stripe_is_away(
        self, admin_client: Client, plans: list[SubscriptionPlan], stripe_account: Any, settings: Any
    ) -> None:
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_API_BASE": "http://127.0.0.1:9"}
        for answer in (admin_client.get(SYNC), admin_client.post(SYNC, follow=True)):
            assert "cannot be reached" in text(answer)
        assert log() == []

    def test_needs_its_permission(
        self, plans: list[SubscriptionPlan], stripe_account: OperatorsDriver
    ) -> None:
        client = staff_who_may("view_subscriptionplan", "change_subscriptionplan")
        assert client.get(SYNC).status_code == 403
        assert client.post(SYNC).status_code == 403
        assert "Sync" not in text(client.get(page("subscriptionplan")))
        assert not list(stripe_account.api.products.list())
        allowed = staff_who_may("view_subscriptionplan", "sync_plans")
        assert "Sync to Stripe" in text(allowed.get(page("subscriptionplan")))
        assert allowed.get(SYNC).status_code == 200
