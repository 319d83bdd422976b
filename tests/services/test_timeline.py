"""What happened to a user, newest first, each thing once, whatever the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection
from django.utils import timezone

from django_videoq_billing.models import (
    ExtraAllowance,
    Notification,
    SubscriptionPlan,
    UsageAlert,
    UsageCorrection,
    UserSubscription,
    WebhookEvent,
)
from django_videoq_billing.services.timeline import SOURCES, timeline
from tests.databases import about_postgresql
from tests.factories import make_payment, make_plan, make_user, subscribed
from tests.models.rows import new_refusal

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def make_event(number: int, subject: dict[str, Any]) -> WebhookEvent:
    payload = {"id": f"evt_{number}", "type": "invoice.paid", "data": {"object": subject}}
    return WebhookEvent.objects.create(
        stripe_event_id=f"evt_{number}",
        type="invoice.paid",
        payload=payload,
        created_at=NOW,
        next_attempt_at=NOW,
    )


def live(user: Any, number: int) -> None:
    """One of everything."""
    customer = user.subscription.stripe_customer_id
    make_event(2 * number, {"id": f"in_{number}", "object": "invoice", "customer": customer})
    make_event(2 * number + 1, {"id": customer, "object": "customer"})
    make_payment(user=user, stripe_object_id=f"in_x{number}", description="For one month")
    fields = {"user": user, "metric": "video", "reason": "Lost.", "author": None}
    ExtraAllowance.objects.create(amount=3, expires_at=NOW + timedelta(days=9), **fields)
    UsageCorrection.objects.create(before=4, after=1, period_start=NOW, **fields)
    UsageAlert.objects.create(
        user=user, metric="video", threshold=80, used=4, limit=5, created_at=NOW,
        period_start=NOW + timedelta(hours=number), period_end=NOW + timedelta(days=30),
    )  # fmt: skip
    new_refusal(user=user, hour=NOW + timedelta(hours=number), created_at=NOW).save()
    Notification.objects.create(
        user=user, kind="refund", key=str(number), next_attempt_at=NOW, created_at=NOW
    )
    LogEntry.objects.log_actions(user.pk, [user.subscription], CHANGE, change_message="Reactivated.")


def customer_of(plan: SubscriptionPlan, customer_id: str) -> UserSubscription:
    user = subscribed(plan, stripe_customer_id=customer_id)
    return UserSubscription.objects.get(user=user)


@pytest.fixture
def ada(plan: SubscriptionPlan) -> UserSubscription:
    row, other = customer_of(plan, "cus_ada"), customer_of(make_plan(), "cus_eve")
    for number, someone in enumerate((row, other)):
        live(someone.user, number)
    return row


def test_everything_of_one_user_and_nothing_of_another(ada: UserSubscription) -> None:
    page = timeline(ada, sources=SOURCES)
    assert sorted(line.source for line in page.lines) == sorted([*SOURCES, "event"])
    assert page.older == ""
    owners = {getattr(line.row, "user_id", ada.user_id) for line in page.lines}
    assert owners == {ada.user_id}
    told = {(line.source, line.text, line.detail) for line in page.lines}
    assert ("allowance", "+3 videos", "Lost.") in told
    assert ("correction", "4 → 1 videos", "Lost.") in told
    assert ("warning", "80 %: 4 / 5 videos", "") in told
    assert ("refusal", "3 + 1 > 3 videos", "") in told
    assert ("change", "Reactivated.", ada.user.username) in told


def test_only_what_one_may_see(ada: UserSubscription) -> None:
    assert {line.source for line in timeline(ada, sources=["email", "event"]).lines} == {"email", "event"}
    assert timeline(ada, sources=[]).lines == []


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_pages_leave_nothing_out_and_repeat_nothing(ada: UserSubscription, size: int) -> None:
    """Also where many things have the same moment."""
    for number in range(10, 14):
        live(ada.user, number)
    seen, before = [], ""
    for _ in range(100):
        page = timeline(ada, sources=SOURCES, before=before, size=size)
        seen += [(line.source, line.row.pk) for line in page.lines]
        moments = [line.at for line in page.lines]
        assert moments == sorted(moments, reverse=True)
        before = page.older
        if not before:
            break
    assert len(seen) == len(set(seen)) == 5 * 9


@pytest.mark.parametrize("nonsense", ["x", "1~2", "2026-01-01~a~b", "2026-01-01T00:00:00~1~1", "~~"])
def test_a_place_that_makes_no_sense_is_the_beginning(ada: UserSubscription, nonsense: str) -> None:
    everything = timeline(ada, sources=SOURCES)
    assert timeline(ada, sources=SOURCES, before=nonsense) == everything


def test_who_has_no_customer_has_no_events(plan: SubscriptionPlan) -> None:
    make_event(1, {"id": "prod_1", "object": "product"})
    row = UserSubscription.objects.get(user=subscribed(plan, make_user()))
    assert timeline(row, sources=SOURCES).lines == []


def test_each_source_is_asked_once(
    ada: UserSubscription, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20, 30):
        live(ada.user, number)
    before = timeline(ada, sources=SOURCES, size=10).older
    with django_assert_num_queries(len(SOURCES)):
        timeline(ada, sources=SOURCES, before=before, size=10)


@pytest.mark.postgres
@about_postgresql
def test_the_events_are_found_by_their_index(ada: UserSubscription) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = SOURCES["event"].rows(ada).order_by("-created_at", "-pk")[:51].explain()
    assert "vqb_webhook_customer" in plan
