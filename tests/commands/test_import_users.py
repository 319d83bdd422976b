from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from django_videoq_billing.models import UsageRecord, UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Period
from tests.commands.conftest import Run
from tests.commands.test_assign_default_plan import Terminal
from tests.factories import make_plan, subscribed

COUNT = f"{__name__}.uploads_of"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
uploaded: dict[str, Any] = {}


def uploads_of(user: User, period: Period) -> Any:
    """What a site that counted videos itself would answer."""
    answer = uploaded.get(user.username, 0)
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture(autouse=True)
def _site(users_from_before: list[User]) -> Any:
    """Five users from before, on 25 November, and the default plan."""
    make_plan(slug="free", sort_order=1)
    uploaded.clear()
    with time_machine.travel(NOW, tick=False):
        yield


def test_dry_run_first_and_then_for_good(run: Run, users_from_before: list[User]) -> None:
    first, second = users_from_before[:2]
    uploaded.update(u1=3, u2={"video": 1, "transcription": 90})

    said = run("import_users", count=COUNT, dry_run=True)

    assert said.splitlines() == [
        "Period 2026-11-01T00:00:00+00:00 to 2026-12-01T00:00:00+00:00, plan free",
        f"{first.pk} u1: gets the plan, video 3",
        f"{second.pk} u2: gets the plan, video 1, transcription 90",
        *[f"{user.pk} {user.username}: gets the plan" for user in users_from_before[2:]],
        "Plan given to 5 users, usage counted for 2.",
        "Dry run: nothing was written.",
    ]
    assert not UserSubscription.objects.exists()
    assert not UsageRecord.objects.exists()

    assert run("import_users", count=COUNT).splitlines()[1:] == [
        "Plan given to 5 users, usage counted for 2."
    ]
    assert UsageTracker.get_usage(second)["transcription_seconds"] == 90
    assert run("import_users", count=COUNT).splitlines()[1:] == [
        "Plan given to 0 users, usage counted for 0."
    ]
    assert UsageTracker.get_usage(first)["video_count"] == 3


def test_who_is_left_alone_is_told(run: Run) -> None:
    paying = subscribed(make_plan(price_cents=1200), stripe_subscription_id="sub_1")
    said = run("import_users", count=COUNT)
    assert f"{paying.pk} {paying.username}: has, or had, a subscription at Stripe\n" in said
    assert "1 user: has, or had, a subscription at Stripe.\n" in said
    assert "sub_1" not in said


def test_errors_are_told_by_primary_key_and_the_others_go_on(users_from_before: list[User]) -> None:
    uploaded.update(u2=RuntimeError("no table"), u3=2)
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="1 user could not be counted; see above"):
        call_command("import_users", count=COUNT, stdout=out, stderr=err, no_color=True)

    assert err.getvalue() == f"{users_from_before[1].pk} u2: RuntimeError: no table\n"
    assert "Plan given to 5 users, usage counted for 1." in out.getvalue()
    assert UsageTracker.get_usage(users_from_before[2])["video_count"] == 2


def test_recount_is_asked_where_no_function_is_given(
    run: Run, users_from_before: list[User], settings: Any
) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "RECOUNT": {"transcription": COUNT}}
    uploaded.update(u1=60)
    run("import_users")
    assert UsageTracker.get_usage(users_from_before[0])["transcription_seconds"] == 60


def test_without_any_function_plans_are_given(run: Run) -> None:
    assert "Plan given to 5 users, usage counted for 0." in run("import_users")


def test_another_plan_and_another_day(run: Run, users_from_before: list[User], settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    make_plan(slug="gold")
    run("import_users", plan="gold", period_start="2026-01-15", batch_size=2)
    row = UserSubscription.objects.get(user=users_from_before[4])
    assert row.plan.slug == "gold"
    assert row.current_period_start == datetime(2026, 11, 14, 15, tzinfo=UTC), "midnight in Tokyo"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"plan": "gold"}, "There is no plan 'gold'. Plans in the database: free."),
        ({"count": "nowhere.at_all"}, "No module named 'nowhere'"),
        ({"count": "uploads_of"}, "doesn't look like a module path"),
        ({"count": f"{__name__}.NOW"}, "is no function"),
        ({"period_start": "soon"}, "--period-start takes a day or a moment"),
        ({"period_start": "2026-11-26"}, "--period-start must not lie in the future"),
        ({"batch_size": 0}, "--batch-size must be from 1 to 10000, not 0"),
        ({"batch_size": 10_001}, "--batch-size must be from 1 to 10000"),
    ],
)
def test_what_cannot_be_done(run: Run, given: dict[str, Any], refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        run("import_users", **given)
    assert not UserSubscription.objects.exists()


def test_a_terminal_shows_a_bar_on_stderr_alone() -> None:
    out, err = StringIO(), Terminal()
    call_command("import_users", stdout=out, stderr=err, no_color=True)
    assert err.getvalue().rstrip().endswith("5/5")
    assert "#" not in out.getvalue()


def test_stopped_halfway_it_says_so_and_goes_on_later(run: Run, users_from_before: list[User]) -> None:
    uploaded.update({user.username: 2 for user in users_from_before}, u4="Ctrl-C")
    with pytest.raises(CommandError, match=r"Stopped: 3 users done; run it again to go on\.") as stopped:
        run("import_users", count=f"{__name__}.interrupted_at_the_fourth")
    assert stopped.value.returncode == 130

    uploaded["u4"] = 2
    run("import_users", count=COUNT)

    assert [UsageTracker.get_usage(user)["video_count"] for user in users_from_before] == [2] * 5


def interrupted_at_the_fourth(user: User, period: Period) -> Any:
    if uploaded[user.username] == "Ctrl-C":
        raise KeyboardInterrupt
    return uploaded[user.username]
