from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import translation

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.plans import features_of, price_display, seed_plans
from tests.factories import make_plan, subscribed
from tests.models.rows import new_plan

pytestmark = pytest.mark.django_db

PLANS: dict[str, dict[str, Any]] = {
    "free": {"name": "Free", "video_limit": 3, "features": ["One"], "feature_flags": {"hd": False}},
    "paid": {"name": "Paid", "price_cents": 500, "video_limit": 10},
}


def plans(**changes: Any) -> Any:
    """The two plans with `changes` to the paid one."""
    return override_settings(VIDEOQ_BILLING={"PLANS": {**PLANS, "paid": {**PLANS["paid"], **changes}}})


def table() -> list[dict[str, Any]]:
    return [dict(row) for row in SubscriptionPlan.objects.order_by("pk").values()]


def test_the_first_run_creates_what_the_settings_name() -> None:
    report = seed_plans()
    assert report.created == ["free", "standard", "premium"]
    assert [(row.slug, row.price_cents) for row in SubscriptionPlan.objects.all()] == [
        ("free", 0),
        ("standard", 1200),
        ("premium", 4900),
    ]


@plans()
def test_the_second_run_changes_nothing() -> None:
    seed_plans()
    before = table()
    report = seed_plans(prune=True)
    assert (report.created, report.updated, report.unchanged, report.deactivated) == (
        [],
        {},
        ["free", "paid"],
        [],
    )
    assert table() == before


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"price_cents": 900}, ["price_cents"]),
        (
            {"video_limit": None, "transcription_limit_minutes": 60},
            ["video_limit", "transcription_limit_minutes"],
        ),
        ({"features": ["A", "B"]}, ["features"]),
        ({"feature_flags": {"hd": True, "formats": ["mp4"]}}, ["feature_flags"]),
        ({"is_public": False}, ["is_public"]),
        ({"name": "Pro", "interval": "year"}, ["name", "interval"]),
    ],
)
def test_a_changed_setting_updates_the_row_and_names_the_fields(
    change: dict[str, Any], fields: list[str]
) -> None:
    with plans():
        seed_plans()
    with plans(**change):
        assert seed_plans().updated == {"paid": fields}
        assert seed_plans().unchanged == ["free", "paid"]
    row = SubscriptionPlan.objects.filter(slug="paid").values(*change).get()
    assert row == change


@plans()
def test_an_update_says_when_it_happened() -> None:
    seed_plans()
    before = SubscriptionPlan.objects.get(slug="paid")
    with plans(price_cents=900):
        seed_plans()
    after = SubscriptionPlan.objects.get(slug="paid")
    assert (after.pk, after.created_at) == (before.pk, before.created_at)
    assert after.updated_at > before.updated_at


@plans()
def test_what_the_settings_do_not_name_is_left_alone() -> None:
    seed_plans()
    SubscriptionPlan.objects.filter(slug="paid").update(stripe_price_id="price_1", stripe_product_id="prod_1")
    with plans(price_cents=900):
        seed_plans()
    row = SubscriptionPlan.objects.get(slug="paid")
    assert (row.stripe_price_id, row.stripe_product_id) == ("price_1", "prod_1")


@plans()
def test_a_deactivated_plan_that_the_settings_name_is_active_again() -> None:
    seed_plans()
    SubscriptionPlan.objects.filter(slug="paid").update(is_active=False)
    assert seed_plans().updated == {"paid": ["is_active"]}
    assert SubscriptionPlan.objects.get(slug="paid").is_active


@plans()
def test_without_prune_nothing_is_deactivated() -> None:
    other = make_plan()
    assert seed_plans().deactivated == []
    other.refresh_from_db()
    assert other.is_active


@plans()
def test_prune_deactivates_listed_plans_only_and_those_who_have_one_keep_it() -> None:
    old, custom, gone = make_plan(video_limit=7), make_plan(is_public=False), make_plan(is_active=False)
    user = subscribed(old)
    assert seed_plans(prune=True).deactivated == [old.slug]
    assert seed_plans(prune=True).deactivated == []
    for row in (old, custom, gone):
        row.refresh_from_db()
    assert [row.is_active for row in (old, custom, gone)] == [False, True, False]
    assert old not in SubscriptionPlan.objects.listed()
    assert entitlement_for(user).video_limit == 7


@plans()
def test_a_dry_run_reports_the_same_and_writes_nothing() -> None:
    seed_plans()
    old = make_plan()
    before = table()
    with plans(price_cents=900):
        dry = seed_plans(prune=True, dry_run=True)
        assert table() == before
        wet = seed_plans(prune=True)
    assert dry == wet
    assert (dry.updated, dry.deactivated) == ({"paid": ["price_cents"]}, [old.slug])


@plans()
def test_a_dry_run_leaves_an_outer_transaction_alone() -> None:
    make_plan(slug="kept")
    seed_plans(dry_run=True)
    assert [row["slug"] for row in table()] == ["kept"]


@plans()
def test_all_or_nothing() -> None:
    """A row of the host's has the name already: nothing is half done."""
    make_plan(name="Paid", slug="older-paid")
    with pytest.raises(IntegrityError), transaction.atomic():
        seed_plans()
    assert not SubscriptionPlan.objects.filter(slug="free").exists()


@plans(name="Free of ads")
def test_two_plans_may_swap_their_names() -> None:
    seed_plans()
    swapped = {"free": {**PLANS["free"], "name": "Free of ads"}, "paid": {**PLANS["paid"], "name": "Free"}}
    with override_settings(VIDEOQ_BILLING={"PLANS": swapped}):
        seed_plans()
    assert [row["name"] for row in table()] == ["Free of ads", "Free"]


@pytest.mark.parametrize(
    ("fields", "language", "text"),
    [
        ({}, "en", "Free"),
        ({"price_cents": 1200}, "en", "$12.00/month"),
        ({"price_cents": 12000, "interval": "year"}, "en", "$120.00/year"),
        ({"price_cents": 1480, "currency": "JPY"}, "en", "¥1,480/month"),
    ],
)
def test_price_display(fields: dict[str, Any], language: str, text: str) -> None:
    with translation.override(language):
        assert price_display(new_plan(**fields)) == text


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"video_limit": 1}, ["1 video per month", "Unlimited transcription"]),
        (
            {"video_limit": 50, "transcription_limit_minutes": 300},
            ["50 videos per month", "300 minutes of transcription per month"],
        ),
        (
            {"interval": "year", "video_limit": None, "transcription_limit_minutes": 5},
            ["Unlimited videos", "5 minutes of transcription per year"],
        ),
        ({"interval": "year", "video_limit": 2}, ["2 videos per year", "Unlimited transcription"]),
        (
            {"video_limit": 12_000, "transcription_limit_minutes": 1000},
            ["12,000 videos per month", "1,000 minutes of transcription per month"],
        ),
        ({"features": ["Own words", "", "100%"]}, ["Own words", "", "100%"]),
    ],
)
def test_features_of(fields: dict[str, Any], lines: list[str]) -> None:
    assert features_of(new_plan(**fields)) == lines
