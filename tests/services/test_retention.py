"""What is too old goes, what is needed stays: in batches, and as often as one likes."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import (
    Notification,
    UsageAlert,
    UsageRecord,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services import retention
from django_videoq_billing.webhooks import inbox
from tests.factories import make_payment, make_user
from tests.models.rows import new_refusal

pytestmark = pytest.mark.django_db


def prune() -> dict[str, int]:
    done: Counter[str] = Counter()
    for what, count in retention.prune():
        done[what] += count
    return {what: count for what, count in done.items() if count}


def record(user: User, months_ago: int) -> UsageRecord:
    end = timezone.now() - timedelta(days=31 * months_ago)
    return UsageRecord.objects.create(
        user=user, billing_period_start=end - timedelta(days=30), billing_period_end=end, video_count=2
    )


def hold(of: UsageRecord, state: str = "committed") -> UsageReservation:
    return UsageReservation.objects.create(
        user=of.user, record=of, metric="video", amount=1, state=state, expires_at=of.billing_period_end
    )


def event(days_ago: int, **fields: Any) -> WebhookEvent:
    created, event_id = timezone.now() - timedelta(days=days_ago), f"evt_{uuid.uuid4().hex}"
    subject = {"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "ada@example.com"}
    payload = {
        "id": event_id,
        "object": "event",
        "type": "invoice.paid",
        "created": int(created.timestamp()),
        "livemode": False,
        "request": {"id": "req_1"},
        "data": {"object": subject, "previous_attributes": {"status": "open"}},
    }
    values = {
        "stripe_event_id": event_id,
        "type": "invoice.paid",
        "payload": payload,
        "state": "processed",
        "created_at": created,
        "next_attempt_at": created,
        "mirrored_at": created,
        **fields,
    }
    return WebhookEvent.objects.create(**values)


class TestWebhookBodies:
    def test_an_old_body_is_reduced_to_what_processing_needs(self) -> None:
        old, fresh = event(91), event(89)
        assert prune() == {"webhook_bodies": 1}
        old.refresh_from_db()
        assert old.payload == {
            "id": old.stripe_event_id,
            "object": "event",
            "type": "invoice.paid",
            "created": int(old.created_at.timestamp()),
            "livemode": False,
            "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}},
        }
        assert (old.object_id, old.customer_id, old.pruned_at is None) == ("in_1", "cus_1", False)
        fresh.refresh_from_db()
        assert "customer_email" in fresh.payload["data"]["object"]
        assert prune() == {}

    def test_an_expanded_customer_is_reduced_too(self) -> None:
        old = event(91)
        old.payload["data"]["object"]["customer"] = {"id": "cus_2", "email": "ada@example.com"}
        old.save()
        prune()
        old.refresh_from_db()
        assert old.customer_id == "cus_2"
        assert "ada@" not in str(old.payload)

    @pytest.mark.parametrize("state", ["received", "processing", "failed"])
    def test_what_is_not_done_keeps_its_body(self, state: str) -> None:
        event(400, state=state)
        assert prune() == {}

    def test_what_the_mirror_never_got_is_not_waited_for(self) -> None:
        event(91, mirrored_at=None)
        assert prune() == {"webhook_bodies": 1}

    def test_it_comes_again_and_is_known(self) -> None:
        old = event(91)
        body = dict(old.payload)
        prune()
        inbox.store(body)
        assert WebhookEvent.objects.get().pruned_at is not None

    def test_the_days_can_be_chosen(self, settings: Any) -> None:
        settings.VIDEOQ_BILLING = {"WEBHOOK_RETENTION_DAYS": 30}
        event(31)
        assert prune() == {"webhook_bodies": 1}


class TestUsage:
    def test_periods_that_ended_long_ago_go_with_their_settled_holds(self, user: User) -> None:
        old, kept = record(user, 25), record(user, 23)
        for _ in range(3):
            hold(old)
        hold(kept)
        assert prune() == {"usage": 4}
        assert list(UsageRecord.objects.all()) == [kept]
        assert UsageReservation.objects.count() == 1

    def test_an_open_hold_keeps_its_period(self, user: User) -> None:
        old = record(user, 30)
        hold(old)
        open_hold = hold(old, "held")
        assert prune() == {}
        open_hold.state = "released"
        open_hold.save()
        assert prune() == {"usage": 3}

    def test_alerts_of_those_periods(self, user: User) -> None:
        for months in (25, 23):
            end = timezone.now() - timedelta(days=31 * months)
            UsageAlert.objects.create(
                user=user,
                metric="video",
                period_start=end - timedelta(days=30),
                period_end=end,
                threshold=80,
                used=4,
                limit=5,
                created_at=end,
            )
        assert prune() == {"usage_alerts": 1}

    def test_refusals_of_that_time(self, user: User) -> None:
        for months in (25, 23):
            moment = timezone.now() - timedelta(days=31 * months)
            new_refusal(user=user, hour=moment, created_at=moment).save()
        assert prune() == {"refusals": 1}

    def test_the_months_can_be_chosen(self, user: User, settings: Any) -> None:
        settings.VIDEOQ_BILLING = {"USAGE_RETENTION_MONTHS": 12}
        record(user, 13)
        assert prune() == {"usage": 1}


def test_notifications_that_were_settled_a_year_ago(user: User) -> None:
    for key, settled in (("old", 370), ("kept", 360), ("waiting", None)):
        at = timezone.now() - timedelta(days=settled or 800)
        Notification.objects.create(
            user=user,
            kind="refund",
            key=key,
            state="sent" if settled else "waiting",
            next_attempt_at=at,
            created_at=at,
            settled_at=at if settled else None,
        )
    assert prune() == {"notifications": 1}
    assert set(Notification.objects.values_list("key", flat=True)) == {"kept", "waiting"}


def test_payments_are_never_touched() -> None:
    line = make_payment(created_at=timezone.now() - timedelta(days=4000))
    assert prune() == {}
    line.refresh_from_db()


def test_batches_and_a_stop_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    user = make_user()
    for months in range(25, 30):
        hold(record(user, months))
    batches = retention.prune()
    assert [next(batches) for _ in range(3)] == [("usage", 2), ("usage", 2), ("usage", 2)]
    del batches
    assert prune() == {"usage": 10 - 6}


def test_as_a_job_it_reports(user: User) -> None:
    hold(record(user, 25))
    event(91)
    row = run_job(JOBS["prune_old_rows"])
    assert row is not None
    assert (row.outcome, row.done) == ("ok", 3)
    assert row.report == {"webhook_bodies": 1, "usage": 2}
