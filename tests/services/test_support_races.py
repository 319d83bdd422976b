"""Several people at the same user, on PostgreSQL: nothing is lost and nothing is done twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import ExtraAllowance, Notification, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.promotions import end_promotions
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.support import correct_usage, grant_allowance, revoke_allowance
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user, subscribed
from tests.usage.test_concurrency import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

WHY: dict[str, Any] = {"reason": "A race.", "author": None}


def test_of_corrections_at_once_each_starts_where_the_last_one_ended() -> None:
    user = subscribed(make_plan(video_limit=100))
    UsageTracker.increment_video_count(user, 50)
    rows = at_once(lambda number: correct_usage(user, "video", number, **WHY))
    assert {row.before for row in rows} - {row.after for row in rows} == {50}
    assert UsageTracker.get_usage(user)["video_count"] in {row.after for row in rows}


def test_uploads_beside_a_correction_are_not_lost() -> None:
    user = subscribed(make_plan(video_limit=None))
    UsageTracker.increment_video_count(user, 50)

    def move(number: int) -> int:
        if number == 0:
            row = correct_usage(user, "video", 10, **WHY)
            return row.after - row.before
        for _ in range(10):
            UsageTracker.reserve(user, "video").commit()
        return 10

    moved = sum(at_once(move))
    assert UsageTracker.get_usage(user)["video_count"] == 50 + moved


def test_allowances_that_come_and_go_at_once_leave_the_sum_of_what_runs() -> None:
    user = subscribed(make_plan(video_limit=0))
    old = [grant_allowance(user, "video", 1, **WHY) for _ in range(4)]

    def move(number: int) -> None:
        if number < 4:
            revoke_allowance(old[number])
        else:
            grant_allowance(user, "video", number, **WHY)

    at_once(move)
    assert ExtraAllowance.objects.running(timezone.now()).count() == 4
    assert entitlement_for(user).video_limit == 4 + 5 + 6 + 7


def test_a_promotion_ends_once_however_many_look() -> None:
    user, end = make_user(), timezone.now() + timedelta(days=1)
    assign_plan(user, make_plan(), until=end)
    with time_machine.travel(end, tick=False):
        assert sum(at_once(lambda _: sum(end_promotions()))) == 1
    assert Notification.objects.filter(kind="downgrade_done").count() == 1


def test_a_promotion_that_is_given_anew_at_its_end_is_not_taken_away() -> None:
    user, plan, end = make_user(), make_plan(), timezone.now() + timedelta(days=1)
    assign_plan(user, plan, until=end)

    def move(number: int) -> None:
        if number == 0:
            assign_plan(user, plan)
        else:
            with suppress(Conflict):
                list(end_promotions())

    with time_machine.travel(end, tick=False):
        at_once(move)
    row = UserSubscription.objects.get(user=user)
    assert (row.plan, row.assigned_until) == (plan, None)
