"""The first requests of a period, all at once: on a real database server, inside and outside of the host's transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import translation

from django_videoq_billing.models import EmailPreference, Notification, UsageRecord
from django_videoq_billing.services.notifications.languages import remember_language
from django_videoq_billing.services.notifications.unsubscribing import Subscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user, subscribed
from tests.usage.test_concurrency import THREADS, at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def _held(user: User) -> None:
    UsageTracker.reserve(user, "video").commit()


def _counted(user: User) -> None:
    UsageTracker.count(user, "video")


def _incremented(user: User) -> None:
    UsageTracker.increment_video_count(user)


USES = [_held, _counted, _incremented]


@pytest.mark.parametrize("use", USES)
def test_of_one_user_in_transactions_of_the_host(use: Callable[[User], None]) -> None:
    for _ in range(5):
        user = subscribed(make_plan(video_limit=None))

        def work(number: int, user: User = user) -> None:
            with transaction.atomic():
                use(user)

        at_once(work)

        assert UsageTracker.get_usage(user)["video_count"] == THREADS


@pytest.mark.parametrize("use", USES)
def test_of_many_users_beside_each_other(use: Callable[[User], None]) -> None:
    plan = make_plan(video_limit=None)
    users = [subscribed(plan) for _ in range(12)]

    def work(number: int) -> None:
        for turn in range(len(users)):
            with transaction.atomic():
                use(users[turn if number % 2 else turn - number])

    at_once(work)

    assert sum(UsageRecord.objects.values_list("video_count", flat=True)) == THREADS * len(users)


def test_a_user_without_preferences_who_opens_many_pages_at_once() -> None:
    for _ in range(5):
        user = make_user()

        def work(number: int, user: User = user) -> None:
            with translation.override("ja"), transaction.atomic():
                remember_language(user)
                Subscription(user, Notification.Kind.USAGE_WARNING).want(False)

        at_once(work)

        preference = EmailPreference.objects.get(user=user)
        assert (preference.language, preference.unsubscribed) == ("ja", ["usage_warning"])
