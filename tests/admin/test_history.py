"""What has happened can be looked at and searched, not rewritten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_videoq_billing.models import (
    PaymentTransaction,
    SubscriptionPlan,
    TranscriptionJob,
    UsageRecord,
    UsageReservation,
    UserSubscription,
)
from django_videoq_billing.services import transcription
from tests.admin.conftest import busy_user, page, rows_of, staff_who_may, text
from tests.factories import make_payment, make_plan, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

HISTORY = [
    *["usagerecord", "usagereservation", "transcriptionjob", "paymenttransaction"],
    *["extraallowance", "usagecorrection", "usagerefusal"],
]
ALL_MODELS = [*HISTORY, "usersubscription"]


@pytest.mark.parametrize("model", HISTORY)
def test_not_even_a_superuser_adds_changes_or_deletes(
    admin_client: Client, plan: SubscriptionPlan, model: str
) -> None:
    row = rows_of(busy_user(plan))[model]
    before = type(row).objects.values().get(pk=row.pk)
    assert admin_client.get(page(model, "add")).status_code == 403
    assert admin_client.post(page(model, "change", row.pk), {"user": "", "amount": 0}).status_code == 403
    assert admin_client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    admin_client.post(
        page(model), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    )
    assert type(row).objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize("model", HISTORY)
def test_one_row_can_be_looked_at(admin_client: Client, plan: SubscriptionPlan, model: str) -> None:
    user = busy_user(plan, username="ada")
    shown = text(admin_client.get(page(model, "change", rows_of(user)[model].pk)))
    assert "ada" in shown
    assert not re.search(r'<(input type="text"|select|textarea)', shown.split('id="content"')[1])
    assert 'name="_save"' not in shown


@pytest.mark.parametrize("model", ALL_MODELS)
def test_lists_find_by_name_and_by_mail(admin_client: Client, plan: SubscriptionPlan, model: str) -> None:
    busy_user(plan, username="ada", email="lovelace@example.com")
    busy_user(plan, username="charles")
    for term in ("ada", "lovelace@"):
        shown = text(admin_client.get(page(model), {"q": term}))
        assert "ada</" in shown
        assert "charles</" not in shown


@pytest.mark.parametrize(
    ("model", "term"),
    [
        ("usagereservation", lambda row: row.key),
        ("usagereservation", lambda row: str(row.pk)[:8]),
        ("transcriptionjob", lambda row: row.object_id),
        ("paymenttransaction", lambda row: row.stripe_object_id),
    ],
)
def test_lists_find_by_what_the_row_is_known_by(
    admin_client: Client, plan: SubscriptionPlan, model: str, term: Any
) -> None:
    row = rows_of(busy_user(plan))[model]
    if model == "usagereservation":
        row = row.user.usage_reservations.exclude(key=None).get()
    assert "1 result" in text(admin_client.get(page(model), {"q": term(row)}))
    assert "0 results" in text(admin_client.get(page(model), {"q": "nothing like that"}))


@pytest.mark.parametrize("model", ALL_MODELS)
def test_more_rows_do_not_mean_more_queries(
    admin_client: Client,
    plan: SubscriptionPlan,
    model: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    busy_user(plan)
    text(admin_client.get(page(model)))  # warms the content type cache
    with django_assert_max_num_queries(20) as first:
        text(admin_client.get(page(model)))
    for _ in range(4):
        busy_user(make_plan())
    with django_assert_max_num_queries(len(first)):
        text(admin_client.get(page(model)))


def test_usage_is_shown_beside_its_limits(admin_client: Client, plan: SubscriptionPlan) -> None:
    busy_user(plan)
    shown = text(admin_client.get(page("usagerecord")))
    assert "3 of 5 (60.0%)" in shown
    assert "1.5 of 60 (2.5%)" in shown
    UsageRecord.objects.update(video_limit=None)
    assert "3 (unlimited)" in text(admin_client.get(page("usagerecord")))


@pytest.mark.parametrize(("choice", "found"), [("reached", 2), ("passed", 1), ("nonsense", 3)])
def test_who_has_used_up_the_plan(
    admin_client: Client, plan: SubscriptionPlan, choice: str, found: int
) -> None:
    for count in (4, 5, 6):
        user = busy_user(plan)
        UsageRecord.objects.filter(user=user).update(video_count=count)
    shown = text(admin_client.get(page("usagerecord"), {"limit": choice}))
    assert f"{found} usage record" in shown


def test_money_is_shown_in_the_operator_s_language(admin_client: Client, user: User) -> None:
    make_payment(user=user, amount_cents=-1200)
    make_payment(user=user, amount_cents=1480, currency="JPY")
    shown = text(admin_client.get(page("paymenttransaction")))
    assert "-$12.00" in shown
    assert "¥1,480" in shown
    shown = text(admin_client.get(page("paymenttransaction"), headers={"accept-language": "ja"}))
    assert "￥1,480" in shown


class TestDeletingAUser:
    def test_takes_everything_along_but_the_ledger(
        self, admin_client: Client, plan: SubscriptionPlan
    ) -> None:
        user = busy_user(plan, username="ada")
        payment = PaymentTransaction.objects.get(user=user)
        url = reverse("admin:auth_user_delete", args=[user.pk])
        assert "Are you sure" in text(admin_client.get(url))
        answer = admin_client.post(url, {"post": "yes"})
        assert answer.status_code == 302
        assert not User.objects.filter(username="ada").exists()
        for model in (UserSubscription, UsageRecord, UsageReservation, TranscriptionJob):
            assert not model._default_manager.exists()
        payment.refresh_from_db()
        assert payment.user is None
        assert payment.amount_cents == 1200
        assert "deleted user" in text(admin_client.get(page("paymenttransaction")))
        assert "deleted user" in text(admin_client.get(page("paymenttransaction", "change", payment.pk)))

    def test_many_at_once(self, admin_client: Client, plan: SubscriptionPlan) -> None:
        users = [busy_user(plan), busy_user(plan)]
        admin_client.post(
            reverse("admin:auth_user_changelist"),
            {
                "action": "delete_selected",
                "_selected_action": [str(user.pk) for user in users],
                "post": "yes",
            },
        )
        assert not User.objects.filter(pk__in=[user.pk for user in users]).exists()
        assert PaymentTransaction.objects.filter(user=None).count() == 2

    def test_needs_the_permissions_for_what_goes_along(self, db: None, plan: SubscriptionPlan) -> None:
        user = busy_user(plan)
        url = reverse("admin:auth_user_delete", args=[user.pk])
        needed = [
            "extraallowance",
            "usagecorrection",
            "usagerefusal",
            "usersubscription",
            "usagerecord",
            "usagereservation",
            "transcriptionjob",
        ]
        assert staff_who_may("delete_user").post(url, {"post": "yes"}).status_code == 403
        allowed = staff_who_may("delete_user", *[f"delete_{model}" for model in needed])
        assert allowed.post(url, {"post": "yes"}).status_code == 302
        assert not User.objects.filter(pk=user.pk).exists()


class TestWhoMayLook:
    @pytest.mark.parametrize("model", ALL_MODELS)
    def test_viewers_may_and_others_may_not(self, plan: SubscriptionPlan, model: str) -> None:
        row = rows_of(busy_user(plan))[model]
        viewer, stranger = staff_who_may(f"view_{model}"), staff_who_may("delete_user")
        for url in (page(model), page(model, "change", row.pk)):
            assert viewer.get(url).status_code == 200
            assert stranger.get(url).status_code == 403

    def test_a_right_to_delete_shows_no_empty_section(self, db: None) -> None:
        client = staff_who_may("delete_usagerecord")
        assert "Usage records" not in text(client.get(reverse("admin:index")))


def test_an_old_payment_stays_readable_without_its_plan(admin_client: Client) -> None:
    payment = make_payment(user=make_user(), plan=None, created_at=timezone.now())
    assert "$12.00" in text(admin_client.get(page("paymenttransaction", "change", payment.pk)))


def test_a_project_whose_users_have_no_mail(
    admin_client: Client, plan: SubscriptionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "EMAIL_FIELD", "carrier_pigeon")
    busy_user(plan, username="ada")
    assert "ada</" in text(admin_client.get(page("usagerecord"), {"q": "ada"}))


def test_a_transcription_shows_its_rate_and_its_cost(admin_client: Client, plan: SubscriptionPlan) -> None:
    job = rows_of(busy_user(plan))["transcriptionjob"]
    transcription.complete(job, 1234)
    for language, rate, cost in (
        ("en", "Cost per second", "Cost in cents"),
        ("ja", "1 秒あたりの費用", "費用"),
    ):
        headers = {"accept-language": language}
        for url in (page("transcriptionjob"), page("transcriptionjob", "change", job.pk)):
            shown = text(admin_client.get(url, headers=headers))
            assert [word for word in (rate, cost, "0.00010000", "12.340000") if word not in shown] == []
