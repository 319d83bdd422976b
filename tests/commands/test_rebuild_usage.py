from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Period
from django_videoq_billing.usage import UsageStore
from tests.commands.conftest import Run
from tests.factories import make_plan, make_user, subscribed

uploaded: dict[int, int] = {}
RECOUNT = f"{__name__}.uploads_of"


def uploads_of(user: Any, period: Period) -> int:
    """What a host would count in its own table of videos."""
    assert period.start < period.end
    return uploaded.get(user.pk, 0)


@pytest.fixture
def grace(store: UsageStore, settings: Any) -> User:
    """Counted as the host has it: two videos. Every store is mended alike."""
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "RECOUNT": {"video": RECOUNT}}
    user = subscribed(make_plan(video_limit=5), make_user(username="grace"))
    for _ in range(2):
        UsageTracker.reserve(user, "video").commit()
    uploaded.clear()
    uploaded[user.pk] = 2
    return user


def used(user: User) -> int:
    return UsageTracker.get_usage(user)["video_count"]


def test_right_counters(grace: User, run: Run) -> None:
    User.objects.bulk_create([User(username="has never come by")])
    subscribed(make_plan(), make_user(username="is gone", is_active=False))
    assert run("rebuild_usage") == "1 counters are right.\n"


@pytest.mark.parametrize(("really", "difference"), [(4, "+2"), (0, "-2")])
def test_differences_are_shown_and_mended_on_request(
    grace: User, run: Run, really: int, difference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    uploaded[grace.pk] = really

    with pytest.raises(CommandError, match="1 of 1 counters differ"):
        run("rebuild_usage")
    assert used(grace) == 2, "showing changes nothing"

    said = run("rebuild_usage", "--apply")
    assert f"grace {'':<24} video          counted 2, should be {really} ({difference})" in said
    assert used(grace) == really
    assert run("rebuild_usage") == "1 counters are right.\n"


def test_what_is_held_is_no_difference(grace: User, run: Run) -> None:
    """An upload is under way: counted, and not yet in the host's table."""
    UsageTracker.reserve(grace, "video")

    assert run("rebuild_usage", "--user", "grace") == "1 counters are right.\n"


def test_a_process_that_died_without_a_hold_is_found(grace: User, run: Run) -> None:
    UsageTracker.count(grace, "video")

    run("rebuild_usage", "--apply")

    assert used(grace) == 2


def test_a_counter_that_never_rests_is_left_alone(grace: User, run: Run, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "RECOUNT": {"video": f"{__name__}.restless"}}

    with pytest.raises(CommandError, match="1 of 1 counters differ"):
        run("rebuild_usage", "--apply")
    before = used(grace)
    assert used(grace) == before


def restless(user: Any, period: Period) -> int:
    UsageTracker.increment_video_count(user)
    return 0


def test_without_functions_there_is_nothing_to_compare(run: Run, db: None) -> None:
    with pytest.raises(CommandError, match="RECOUNT"):
        run("rebuild_usage")
    with pytest.raises(CommandError, match="names no function for transcription"):
        run("rebuild_usage", "--metric", "transcription")


def test_a_function_that_is_not_there(grace: User, run: Run, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "RECOUNT": {"video": "nowhere.at_all"}}

    with pytest.raises(CommandError, match="nowhere"):
        run("rebuild_usage")
