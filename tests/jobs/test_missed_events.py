"""Events that never came are found by the hour; a pruned one can still be replayed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import JobRun, PaymentTransaction, WebhookEvent
from django_videoq_billing.services import retention
from django_videoq_billing.webhooks import inbox, missed
from tests.stripe_site import OperatorsDriver, customer, plans, row_of, stripe_account

__all__ = ["customer", "plans", "stripe_account"]


def fetch(**how: object) -> JobRun:
    row = run_job(JOBS["fetch_missed_events"], **how)  # type: ignore[arg-type]
    assert row is not None
    return row


def test_lost_events_are_found_and_worked_on(stripe_account: OperatorsDriver, customer: User) -> None:
    everything = len(stripe_account.all_events())
    assert fetch().done == everything
    run_job(JOBS["process_webhooks"])
    assert row_of(customer).plan.slug == "standard"
    assert PaymentTransaction.objects.count() == 1
    assert fetch().done == 0


def test_an_account_with_a_single_event(stripe_account: OperatorsDriver, db: None) -> None:
    stripe_account.reset()
    stripe_account.api.products.create(params={"name": "Alone"})
    assert len(stripe_account.all_events()) == 1
    assert (fetch().outcome, WebhookEvent.objects.count()) == ("ok", 1)


def test_only_what_the_last_look_cannot_have_seen_is_asked_for(
    stripe_account: OperatorsDriver, customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    real = missed.fetch_pages

    def noting(since: datetime, after: str | None) -> Iterator[tuple[int, str]]:
        asked.append(since)
        return real(since, after)

    monkeypatch.setattr(missed, "fetch_pages", noting)
    before = timezone.now()
    fetch()
    fetch()
    assert before - timedelta(days=31) < asked[0] < before - timedelta(days=29)
    assert before - timedelta(hours=2) < asked[1] <= timezone.now() - timedelta(minutes=59)


def test_a_look_that_was_stopped_goes_on_and_counts_from_its_beginning(
    stripe_account: OperatorsDriver, customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "BATCH", 3)
    everything, rounds, began = len(stripe_account.all_events()), 1, timezone.now()
    row = fetch(asked_to_stop=lambda: True)
    assert row.done == 3
    with time_machine.travel(began + timedelta(hours=3)):
        while row.cursor:
            row = fetch(asked_to_stop=lambda: True) if rounds < 3 else fetch()
            rounds += 1
    assert WebhookEvent.objects.count() == everything
    assert row.report["seen_until"] < (began + timedelta(minutes=1)).isoformat()


def test_a_failed_look_is_made_up_for(stripe_account: OperatorsDriver, customer: User) -> None:
    fetch()
    seen = JobRun.objects.get().report["seen_until"]
    stripe_account.control("outage", mode="503", requests=1)
    assert fetch().outcome == "failed"
    assert JobRun.objects.get().report["seen_until"] == seen
    assert fetch().outcome == "ok"
    assert JobRun.objects.get().report["seen_until"] > seen


def test_a_pruned_event_can_be_processed_once_more(stripe_account: OperatorsDriver, customer: User) -> None:
    """Handlers fetch the object by its id, so the body is not missed."""
    fetch()
    run_job(JOBS["process_webhooks"])
    old = timezone.now() - timedelta(days=100)
    WebhookEvent.objects.update(created_at=old)
    pruned = sum(count for what, count in retention.prune() if what == "webhook_bodies")
    assert pruned == WebhookEvent.objects.count()
    PaymentTransaction.objects.all()._raw_delete("default")
    row = row_of(customer)
    row.plan = type(row.plan).objects.get(slug="free")
    row.save()

    inbox.replay(WebhookEvent.objects.all())
    inbox.process_due()

    assert set(WebhookEvent.objects.values_list("error", flat=True)) == {""}
    assert row_of(customer).plan.slug == "standard"
    assert PaymentTransaction.objects.get().amount_cents == 1200
