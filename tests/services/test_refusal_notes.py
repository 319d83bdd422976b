"""Who was refused is written down once an hour, whatever becomes of the request, and never in its way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.models import SubscriptionPlan, UsageRefusal
from django_videoq_billing.services import refusal_notes
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, subscribed


@requires_quota("video")
def upload(request: HttpRequest) -> HttpResponse:
    return HttpResponse("counted")


urlpatterns = [path("upload", upload)]


@pytest.fixture
def full(db: None) -> Any:
    """A user who has used the one video there is."""
    user = subscribed(make_plan(video_limit=1))
    UsageTracker.increment_video_count(user)
    return user


def be_refused(user: Any, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(QuotaExceeded):
            UsageTracker.reserve(user, "video", 2)


def noted() -> list[tuple[int, int, int]]:
    return list(UsageRefusal.objects.values_list("used", "amount", "limit"))


def test_with_every_store(store: UsageStore) -> None:
    user = subscribed(make_plan(video_limit=1))
    UsageTracker.increment_video_count(user)
    be_refused(user)
    row = UsageRefusal.objects.get()
    assert (row.user_id, row.metric, row.used, row.amount, row.limit) == (user.pk, "video", 1, 2, 1)


def test_once_an_hour(full: Any) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, 10, tzinfo=UTC), tick=False) as clock:
        user = subscribed(make_plan(video_limit=0))
        be_refused(user, 3)
        assert len(noted()) == 1
        clock.move_to(datetime(2026, 3, 1, 12, 59, 59, tzinfo=UTC))
        refusal_notes.noted.clear()  # another process
        be_refused(user)
        assert len(noted()) == 1
        clock.move_to(datetime(2026, 3, 1, 13, 0, tzinfo=UTC))
        be_refused(user)
        assert [str(hour) for hour in UsageRefusal.objects.values_list("hour", flat=True)] == [
            "2026-03-01 13:00:00+00:00",
            "2026-03-01 12:00:00+00:00",
        ]


def test_the_second_asks_no_database(full: Any) -> None:
    be_refused(full)
    with CaptureQueriesContext(connection) as queries:
        be_refused(full)
    assert not [query for query in queries if "usagerefusal" in query["sql"]]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True])
def test_a_view_that_is_rolled_back(atomic: bool, plan: SubscriptionPlan) -> None:
    user = subscribed(make_plan(video_limit=0))
    client = Client()
    client.force_login(user)
    connection.settings_dict["ATOMIC_REQUESTS"] = atomic
    try:
        assert client.post("/upload").status_code == 403
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert noted() == [(0, 1, 0)]


def test_a_use_that_fits_leaves_nothing(plan: SubscriptionPlan, user: Any) -> None:
    UsageTracker.reserve(user, "video").commit()
    assert UsageTracker.can_upload_video(user)[0]
    assert noted() == []


def test_asking_is_no_refusal(full: Any) -> None:
    assert not UsageTracker.can_upload_video(full)[0]
    assert noted() == []


@pytest.mark.django_db(transaction=True)
def test_who_is_gone_meanwhile_is_in_nobodys_way(caplog: pytest.LogCaptureFixture) -> None:
    user = subscribed(make_plan(video_limit=0))
    refusal_notes.request_started()
    be_refused(user)
    User.objects.filter(pk=user.pk).delete()
    refusal_notes.request_finished()
    assert noted() == []
    assert "refusal_not_noted" not in caplog.messages


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_is_in_nobodys_way(caplog: pytest.LogCaptureFixture) -> None:
    user = subscribed(make_plan(video_limit=0))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE videoq_billing_usagerefusal RENAME TO away")
    try:
        be_refused(user)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO videoq_billing_usagerefusal")
    assert "refusal_not_noted" in caplog.messages


@pytest.mark.django_db(transaction=True)
def test_in_the_hosts_own_transaction_it_goes_with_it(plan: SubscriptionPlan) -> None:
    user = subscribed(make_plan(video_limit=0))
    with transaction.atomic():
        be_refused(user)
    assert len(noted()) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_one_row(plan: SubscriptionPlan) -> None:
    user = subscribed(make_plan(video_limit=0))

    def refused() -> None:
        try:
            refusal_notes.noted.clear()  # as many processes
            be_refused(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=refused) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(noted()) == 1
