"""The command itself: the same year for the same seed, once, gone when it is removed, and for no real site."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client, override_settings

from django_videoq_billing.models import (
    PaymentTransaction,
    SubscriptionPlan,
    UsageRecord,
    UserSubscription,
)
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.plans import seed_plans
from django_videoq_billing.services.subscriptions import assign_plan
from example_project.videos.demo import figures
from tests.example.year import NOW, demo_data, rows
from tests.factories import make_payment, make_user

Status, Type, Paid = UserSubscription.Status, PaymentTransaction.Type, PaymentTransaction.Status

pytestmark = [
    pytest.mark.no_cover,
    pytest.mark.django_db,
    pytest.mark.urls("example_project.urls"),
    pytest.mark.usefixtures("end_of_year"),
]


def test_the_same_seed_makes_the_same_year_and_another_one_another() -> None:
    def told() -> Any:
        return {
            "users": list(User.objects.values_list("username", "date_joined").order_by("username")),
            "rows": list(
                UserSubscription.objects.values_list(
                    "user__username", "plan__slug", "status", "current_period_start"
                ).order_by("user__username")
            ),
            "lines": list(
                PaymentTransaction.objects.values_list(
                    "stripe_object_id", "amount_cents", "status", "created_at"
                ).order_by("stripe_object_id", "status")
            ),
            "usage": list(
                UsageRecord.objects.values_list(
                    "user__username", "billing_period_start", "video_count", "transcription_seconds"
                ).order_by("user__username", "billing_period_start")
            ),
        }

    years = []
    for seed in (7, 7, 8):
        demo_data(seed=seed, users=60)
        years.append(told())
        demo_data(remove=True)
    assert years[0] == years[1]
    assert all(years[0][what] != years[2][what] for what in years[0])


def test_a_second_run_changes_nothing(year: str) -> None:
    before = rows()

    assert demo_data().startswith("300 demo users are there already")
    assert rows() == before


def test_removing_leaves_what_was_there_before_and_nothing_else() -> None:
    seed_plans()
    somebody = make_user(email="ada@example.com")
    assign_plan(somebody, SubscriptionPlan.objects.get(slug="standard"))
    make_payment(user=somebody)
    figures.start_anew(NOW)
    before = rows()

    demo_data()
    assert rows() != before
    said = demo_data(remove=True)

    assert said == "300 demo users removed, with everything of theirs.\n"
    after = rows()
    for day in (*before["DailyMoney"], *after["DailyMoney"]):
        day.pop("id")
    for plan in (*before["SubscriptionPlan"], *after["SubscriptionPlan"]):
        plan.pop("updated_at")
    assert after == before
    assert demo_data(remove=True).startswith("0 demo users")


def test_a_plan_that_somebody_else_has_stays(year: str) -> None:
    somebody = make_user()
    assign_plan(somebody, SubscriptionPlan.objects.get(slug="demo-studio"))

    assert "The plan demo-studio stays" in demo_data(remove=True)
    assert entitlement_for(somebody).plan_slug == "demo-studio"


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_few_users_are_enough(seed: int) -> None:
    demo_data(users=50, seed=seed, until="2026-03-31T23:00Z")

    assert User.objects.filter(is_staff=False).count() == 50


def test_it_is_for_no_real_site() -> None:
    with override_settings(DEBUG=False), pytest.raises(CommandError, match="DEBUG is off"):
        call_command("demo_data")
    assert not User.objects.exists()


def test_too_few_users_are_refused() -> None:
    with pytest.raises(CommandError, match="50 or more"):
        demo_data(users=10)


def test_the_admin_and_the_user_page_show_it(year: str, client: Client, admin_client: Client) -> None:
    client.force_login(User.objects.filter(subscription__status=Status.PAST_DUE).latest("pk"))

    assert client.get("/billing/").status_code == 200
    for model in ("usersubscription", "paymenttransaction", "usagerecord", "webhookevent", "notification"):
        assert admin_client.get(f"/admin/videoq_billing/{model}/").status_code == 200
