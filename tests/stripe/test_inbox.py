"""The inbox when things go wrong: workers that race or die, Stripe away, events that cannot be processed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.signals import webhook_failed
from django_videoq_billing.webhooks import handles, inbox
from django_videoq_billing.webhooks.registry import _handlers
from tests.stripe.lifecycles import upgrade
from tests.stripe.site import Site, process, receive

pytestmark = pytest.mark.django_db
State = WebhookEvent.State


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    said: list[Any] = []
    webhook_failed.connect(receiver := lambda **message: said.append(message), weak=False)
    yield said
    webhook_failed.disconnect(receiver)


def received(site: Site) -> list[str]:
    """Pay for a plan and receive the events without processing them; return their ids."""
    site.checkout(site.standard)
    return [receive(event) for event in site.sandbox.new_events()]


def test_an_event_is_stored_once_and_processed_once(site: Site) -> None:
    events = len(set(received(site)))
    assert WebhookEvent.objects.filter(state=State.RECEIVED).count() == events

    assert inbox.process_due() == events
    assert inbox.process_due() == 0

    states = set(WebhookEvent.objects.values_list("state", flat=True))
    assert states <= {State.PROCESSED, State.IGNORED}
    assert site.row.plan == site.standard


def test_an_event_that_nobody_handles_is_ignored(site: Site) -> None:
    received(site)
    process()
    assert WebhookEvent.objects.get(type="payment_intent.succeeded").state == State.IGNORED


def test_stripe_away_is_tried_again_later(site: Site, traveller: Any, heard: list[Any]) -> None:
    received(site)
    site.sandbox.control("outage", mode="503", requests=1000)
    process()

    failed = WebhookEvent.objects.filter(state=State.FAILED)
    assert failed.exists()
    assert {event.attempts for event in failed} == {1}
    assert {said["event"].pk for said in heard} == {event.pk for event in failed}
    assert site.row.plan == site.free, "nothing is half done"
    assert inbox.process_due() == 0, "not before its time"

    site.sandbox.control("outage", mode="503", requests=0)
    traveller.shift(timedelta(minutes=1))
    process()

    assert list(failed.values_list("error", flat=True)) == []
    assert site.row.plan == site.standard
    assert PaymentTransaction.objects.count() == 1


def test_the_pauses_grow(site: Site, traveller: Any) -> None:
    received(site)
    site.sandbox.control("outage", mode="500", requests=100_000)
    pauses = []
    for _ in range(6):
        process()
        event = WebhookEvent.objects.filter(state=State.FAILED).earliest("next_attempt_at")
        pauses.append((event.next_attempt_at - timezone.now()) // timedelta(minutes=1))
        traveller.move_to(event.next_attempt_at)
    site.sandbox.control("outage", mode="500", requests=0)
    assert pauses == [1, 5, 15, 60, 60, 60]


def test_the_event_of_a_dead_worker_is_taken_up_again(site: Site, traveller: Any) -> None:
    received(site)
    claimed = inbox._claim(WebhookEvent.objects.filter(type="checkout.session.completed"))  # and dies
    assert claimed is not None
    process()
    claimed.refresh_from_db()
    assert claimed.state == State.PROCESSING, "it may still be alive"

    traveller.shift(timedelta(seconds=301))
    process()

    claimed.refresh_from_db()
    assert (claimed.state, claimed.attempts) == (State.PROCESSED, 2)


def test_a_slow_worker_does_not_undo_what_another_did_meanwhile(site: Site, traveller: Any) -> None:
    received(site)
    slow = inbox._claim(WebhookEvent.objects.filter(type="checkout.session.completed"))
    assert slow is not None
    traveller.shift(timedelta(seconds=301))
    process()
    inbox._settle(slow, state=State.FAILED, error="too late")

    slow.refresh_from_db()
    assert slow.state == State.PROCESSED


def test_a_replay_changes_nothing_and_counts_nothing_twice(site: Site) -> None:
    upgrade(site)
    before = site.snapshot()

    assert inbox.replay(WebhookEvent.objects.all()) == WebhookEvent.objects.count()
    process()

    assert site.snapshot() == before


def test_a_handler_of_the_host_that_fails_does_not_stop_ours_forever(site: Site, heard: list[Any]) -> None:
    @handles("checkout.session.completed")
    def host_handler(event: WebhookEvent) -> None:
        raise ZeroDivisionError("the host's own mistake")

    try:
        received(site)
        process()
    finally:
        _handlers["checkout.session.completed"].remove(host_handler)

    event = WebhookEvent.objects.get(type="checkout.session.completed")
    assert event.state == State.FAILED
    assert event.error == "ZeroDivisionError: the host's own mistake"
    assert site.row.plan == site.standard
    assert [said["event"].pk for said in heard] == [event.pk]
