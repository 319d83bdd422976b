"""The clock and the time zone of whoever asks move no period and open no limit."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import CHECK, URLS, client_of
from tests.factories import subscribed

ASKED = ("billing/usage", "billing/subscription", "billing/usage/history")


def answers_to(user: Any, **headers: str) -> list[Any]:
    client = client_of(user)
    told = [client.get(URLS[path], headers=headers) for path in ASKED]
    told.append(client.post(URLS["billing/usage/check"], CHECK, headers=headers))
    assert [answer.status_code for answer in told] == [200, 200, 200, 403]
    return [answer.json() for answer in told]


# A moment that is November in some of the zones and December in others.
@time_machine.travel("2026-11-30T20:00:00Z", tick=False)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT", "soon"])
def test_neither_moves_a_period_or_opens_a_limit(settings: Any, plan: Any, zone: str, date: str) -> None:
    user = subscribed(plan)
    UsageTracker.increment_video_count(user, plan.video_limit)
    period = UserSubscription.objects.values("current_period_start", "current_period_end").get(user=user)
    as_it_is = answers_to(user)
    assert as_it_is[-1]["allowed"] is False

    settings.TIME_ZONE = zone
    with timezone.override(zone):
        assert answers_to(user, date=date) == as_it_is
        assert answers_to(user, date=date, time_zone=zone) == as_it_is

    now = UserSubscription.objects.values("current_period_start", "current_period_end").get(user=user)
    assert now == period
