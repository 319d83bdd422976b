"""The user's page, and the time line that leads from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_videoq_billing.admin import BILLING_INLINES
from django_videoq_billing.admin.inlines import mount_on_stock_user_admin
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.support import grant_allowance
from tests.admin.conftest import busy_user, staff_who_may, text

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries


@pytest.fixture
def ada(plan: SubscriptionPlan) -> Any:
    return busy_user(plan, username="ada")


def user_page(user: Any) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def timeline_of(user: Any) -> str:
    return reverse("admin:videoq_billing_usersubscription_timeline", args=[user.subscription.pk])


class TestOnTheUsersPage:
    def test_subscription_and_usage_are_there_by_themselves(
        self, admin_client: Client, ada: Any, plan: SubscriptionPlan
    ) -> None:
        shown = text(admin_client.get(user_page(ada)))
        assert plan.name in shown
        assert "3 of 5 (60.0%)" in shown
        assert timeline_of(ada) in shown

    def test_extra_allowances_are_in_the_limit(self, admin_client: Client, ada: Any) -> None:
        grant_allowance(ada, "video", 5, reason="x", author=None)
        assert "3 of 10 (30.0%)" in text(admin_client.get(user_page(ada)))

    def test_saving_the_user_changes_nothing_of_ours(self, admin_client: Client, ada: Any) -> None:
        answer: Any = admin_client.get(user_page(ada))
        form = dict(answer.context["adminform"].form.initial)
        sent = {name: value for name, value in form.items() if isinstance(value, str) and value}
        for formset in answer.context["inline_admin_formsets"]:
            sent |= {field.html_name: field.value() for field in formset.formset.management_form}
        sent |= {"first_name": "Ada", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
        before = ada.subscription.updated_at, ada.usage_records.get().updated_at
        assert admin_client.post(user_page(ada), sent).status_code == 302
        ada = User.objects.get(pk=ada.pk)
        assert ada.first_name == "Ada"
        assert (ada.subscription.updated_at, ada.usage_records.get().updated_at) == before

    def test_a_new_user_is_added_as_ever(self, admin_client: Client) -> None:
        shown = text(admin_client.get(reverse("admin:auth_user_add")))
        assert "Usage of the last year" not in shown
        form = {"username": "eve", "password1": "correct horse 7", "password2": "correct horse 7"}
        assert admin_client.post(reverse("admin:auth_user_add"), form).status_code == 302
        assert User.objects.filter(username="eve").exists()

    def test_only_for_whoever_may_see_it(self, ada: Any) -> None:
        shown = text(staff_who_may("view_user").get(user_page(ada)))
        assert "3 of 5" not in shown
        shown = text(staff_who_may("view_user", "view_usagerecord").get(user_page(ada)))
        assert "3 of 5" in shown
        assert timeline_of(ada) not in shown

    def test_an_admin_of_the_projects_own_is_left_alone_and_adds_them_in_one_line(self) -> None:
        class Own(UserAdmin):  # type: ignore[type-arg] # not subscriptable at run time
            inlines = [*BILLING_INLINES]

        class Without(UserAdmin):  # type: ignore[type-arg]
            pass

        for kind, expected in ((Own, list(BILLING_INLINES)), (Without, [])):
            site = admin.AdminSite()
            site.register(User, kind)
            mount_on_stock_user_admin(site)
            assert list(site.get_model_admin(User).inlines) == expected
        mount_on_stock_user_admin(admin.AdminSite())  # no user admin at all


class TestTheTimeLine:
    def test_shows_what_happened_with_links(self, admin_client: Client, ada: Any) -> None:
        admin_client.post(
            reverse("admin:videoq_billing_usersubscription_move", args=[ada.subscription.pk, "grant"]),
            {"metric": "video", "amount": 2, "reason": "Lost upload"},
        )
        shown = text(admin_client.get(timeline_of(ada)))
        assert "Lost upload" in shown
        assert "$12.00" in shown
        assert (
            reverse("admin:videoq_billing_usagerefusal_change", args=[ada.usage_refusals.get().pk]) in shown
        )
        payment = ada.payment_transactions.get()
        assert reverse("admin:videoq_billing_paymenttransaction_change", args=[payment.pk]) in shown

    def test_shows_only_what_one_may_see(self, ada: Any) -> None:
        grant_allowance(ada, "video", 2, reason="Lost upload", author=None)
        support = staff_who_may("view_usersubscription", "view_extraallowance")
        shown = text(support.get(timeline_of(ada)))
        assert "Lost upload" in shown
        assert "$12.00" not in shown
        assert staff_who_may("view_paymenttransaction").get(timeline_of(ada)).status_code == 403

    def test_of_nobody_is_not_found(self, admin_client: Client, ada: Any) -> None:
        address = timeline_of(ada).replace(f"/{ada.subscription.pk}/", "/999999/")
        assert admin_client.get(address).status_code == 404

    def test_a_long_life_takes_no_more_queries(
        self, admin_client: Client, ada: Any, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        text(admin_client.get(timeline_of(ada)))
        with django_assert_max_num_queries(20) as first:
            text(admin_client.get(timeline_of(ada)))
        for number in range(60):
            grant_allowance(ada, "video", 1, reason=f"No. {number}", author=None)
        with django_assert_max_num_queries(len(first)):
            shown = text(admin_client.get(timeline_of(ada)))
        assert "No. 59" in shown
        assert "(No. 3)" not in shown
        assert "Older" in shown
