from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.plans import seed_plans
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.commands.conftest import Run

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def use(user: User, videos: int, seconds: int) -> None:
    UsageTracker.increment_video_count(user, videos)
    UsageTracker.increment_transcription_seconds(user, seconds)


@time_machine.travel(NOW, tick=False)
def test_the_page_an_operator_reads(run: Run) -> None:
    ada = User.objects.create_user("ada")
    use(ada, 2, 750)
    UsageTracker.reserve(ada, "transcription", 60)
    assert run("show_usage", "ada").splitlines() == [
        f"ada (id {ada.pk})",
        "Plan           free (active)",
        "Effective      free",
        "Period         2026-03-15 12:00 UTC to 2026-04-15 12:00 UTC",
        "Videos         2 of 3 (66.6 %)",
        "Transcription  13.5 min of 30.0 (45.0 %)",
        "Open holds     transcription 1.0 min (holds: 1, first expires 2026-03-15 13:00 UTC)",
    ]


def test_holds_are_summed_up(run: Run, ada: User) -> None:
    UsageTracker.reserve(ada, "video")
    UsageTracker.reserve(ada, "video")
    assert "Open holds     video 2 (holds: 2, first expires" in run("show_usage", "ada")


def test_overage_and_unlimited(run: Run, ada: User) -> None:
    seed_plans()
    assign_plan(ada, SubscriptionPlan.objects.get(slug="premium"))
    use(ada, 5, 60_600)
    page = run("show_usage", "ada")
    assert "Videos         5 (unlimited)\n" in page
    assert "Transcription  1010.0 min of 1000.0 (101.0 %), 10.0 over the limit\n" in page


def test_a_plan_that_no_longer_counts_shows_which_one_does(run: Run, ada: User) -> None:
    seed_plans()
    assign_plan(ada, SubscriptionPlan.objects.get(slug="standard"))
    UserSubscription.objects.update(status="unpaid")
    page = run("show_usage", "ada")
    assert "Plan           standard (unpaid)\nEffective      free\n" in page
    assert "Videos         0 of 3 (0.0 %)" in page


def test_a_change_to_come_is_announced(run: Run, ada: User) -> None:
    seed_plans()
    UserSubscription.objects.update(
        cancel_at_period_end=True,
        pending_plan=SubscriptionPlan.objects.get(slug="standard"),
        pending_plan_effective_at=NOW,
    )
    assert "free (active, ends with the period, then standard)" in run("show_usage", "ada")


@time_machine.travel(NOW, tick=False)
def test_past_periods_newest_first(run: Run, ada: User) -> None:
    for months_ago, videos in ((1, 10), (2, 20), (3, 30), (4, 40)):
        start = NOW - timedelta(days=30 * months_ago)
        UsageRecord.objects.create(
            user=ada,
            billing_period_start=start,
            billing_period_end=start + timedelta(days=30),
            video_count=videos,
            video_limit=50,
            transcription_limit_seconds=600,
        )
    use(ada, 1, 1)
    past = run("show_usage", "ada").splitlines()[-3:]
    assert past[0] == "2026-02-13     videos 10 of 50 (20.0 %); transcription 0.0 min of 10.0 (0.0 %)"
    assert [line.split()[2] for line in past] == ["10", "20", "30"]
    data = json.loads(run("show_usage", "ada", history=4, json=True))
    assert [period["video"]["used"] for period in data["past_periods"]] == [10, 20, 30, 40]
    assert json.loads(run("show_usage", "ada", history=0, json=True))["past_periods"] == []


def test_json_is_for_programs_and_holds_no_secret(run: Run, ada: User) -> None:
    UserSubscription.objects.update(stripe_subscription_id="sub_secret", stripe_customer_id="cus_secret")
    use(ada, 4, 90)
    UsageTracker.reserve(ada, "transcription", 30, key="a client's key")
    text = run("show_usage", "ada", json=True)
    data = json.loads(text)
    assert data["user"] == "ada"
    assert (data["plan"], data["effective_plan"], data["status"]) == ("free", "free", "active")
    current = data["current_period"]
    assert current["video"] == {"used": 4, "limit": 3, "percentage": 133.3, "overage": 1}
    assert current["transcription"] == {"used": 120, "limit": 1800, "percentage": 6.6, "overage": 0}
    hold = data["open_holds"][0]
    assert (hold["metric"], hold["count"], hold["amount"]) == ("transcription", 1, 30)
    assert "secret" not in text + run("show_usage", "ada")
    assert "client's key" not in text


def test_looking_gives_nobody_a_subscription(run: Run, users_from_before: list[User]) -> None:
    page = run("show_usage", "u1")
    assert "none yet; the default plan comes with the first use" in page
    assert json.loads(run("show_usage", "u1", json=True))["plan"] is None
    assert not UserSubscription.objects.exists()


def test_a_closed_account_can_still_be_looked_at(run: Run, ada: User) -> None:
    use(ada, 2, 1)
    User.objects.update(is_active=False)
    page = run("show_usage", "ada")
    assert "account not active" in page.splitlines()[0]
    assert "Effective      none: the account is not active" in page
    assert "Videos         2 of 3 (66.6 %)" in page


def test_a_closed_account_that_never_used_anything(run: Run, ada: User) -> None:
    User.objects.update(is_active=False)
    assert "Videos" not in run("show_usage", "ada")


class TestWhichUser:
    def test_by_name_by_mail_in_any_case_or_by_key(self, run: Run, ada: User) -> None:
        for given in ("ada", "ADA@example.com", str(ada.pk)):
            assert run("show_usage", given).startswith(f"ada (id {ada.pk})")

    def test_a_name_wins_over_a_primary_key(self, run: Run, ada: User) -> None:
        User.objects.create_user(str(ada.pk))
        assert run("show_usage", str(ada.pk)).startswith(f"{ada.pk} (id {ada.pk + 1})")

    @pytest.mark.parametrize("given", ["nobody", "", "  ", "99999999999999999999999", "a@b.example"])
    def test_nobody(self, run: Run, ada: User, given: str) -> None:
        User.objects.create_user("without-mail")
        with pytest.raises(CommandError, match="There is no user"):
            run("show_usage", given)

    def test_two_people_with_one_mail_are_not_guessed(self, run: Run, ada: User) -> None:
        eve = User.objects.create_user("eve", "ada@example.com")
        sentence = rf"fits more than one user: 'ada' \({ada.pk}\), 'eve' \({eve.pk}\)\. Give a username"
        with pytest.raises(CommandError, match=sentence):
            run("show_usage", "ada@example.com")

    def test_a_crowd_is_cut_short(self, run: Run, db: None) -> None:
        for number in range(7):
            User.objects.create_user(f"u{number}", "all@example.com")
        with pytest.raises(CommandError, match=r"'u4' \(\d+\), \.\.\."):
            run("show_usage", "all@example.com")

    def test_a_negative_history_is_refused(self, run: Run, ada: User) -> None:
        with pytest.raises(CommandError, match="--history must be 0 or more, not -1"):
            run("show_usage", "ada", history=-1)

    def test_a_project_whose_users_have_no_mail(
        self, run: Run, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(User, "EMAIL_FIELD", "carrier_pigeon")
        assert run("show_usage", "ada").startswith("ada ")
        with pytest.raises(CommandError, match="There is no user"):
            run("show_usage", "ada@example.com")
