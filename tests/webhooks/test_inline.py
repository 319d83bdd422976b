"""Without a worker: what the process that received an event does once Stripe has its answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.webhooks import handles, inline, registry
from tests.webhooks.delivery import URL, billing, deliver, event, sign

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def _inline(settings: Any) -> None:
    settings.VIDEOQ_BILLING = billing(WEBHOOK_PROCESSING="inline")


@pytest.fixture
def handler() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Let a function answer events of the type "test.slow"."""

    def register(work: Callable[[], Any]) -> None:
        handles("test.slow")(lambda event: work())

    yield register
    registry._handlers.pop("test.slow", None)


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    return condition()


def is_processed() -> bool:
    return WebhookEvent.objects.filter(state=WebhookEvent.State.PROCESSED).exists()


def test_stripe_has_its_answer_before_the_work_begins(live_server: Any, handler: Any) -> None:
    answered = threading.Event()
    handler(lambda: answered.wait(timeout=30) or pytest.fail("the answer waited for the work"))
    body = json.dumps(event(kind="test.slow"))
    request = Request(  # noqa: S310 (our own server)
        live_server.url + URL,
        body.encode(),
        {"Stripe-Signature": sign(body), "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=20) as response:  # noqa: S310
        assert json.load(response)["received"] is True
        assert not is_processed()
    answered.set()
    assert until(is_processed)


def failed(event_id: str, due: timedelta) -> WebhookEvent:
    return WebhookEvent.objects.create(
        stripe_event_id=event_id,
        type="test.slow",
        payload=event(event_id, kind="test.slow"),
        state=WebhookEvent.State.FAILED,
        attempts=1,
        next_attempt_at=timezone.now() + due,
        created_at=timezone.now(),
    )


def test_an_event_that_failed_is_tried_again_with_the_next_one(client: APIClient, handler: Any) -> None:
    """Nobody runs a command: the inbox mends itself all the same."""
    handler(lambda: None)
    due, early = failed("evt_due", -timedelta(minutes=1)), failed("evt_early", timedelta(minutes=1))
    assert deliver(client, event("evt_new")).status_code == 200
    due.refresh_from_db()
    early.refresh_from_db()
    assert (due.state, early.state) == ("processed", "failed")


def test_a_backlog_is_taken_in_small_parts(client: APIClient, handler: Any) -> None:
    handler(lambda: None)
    for number in range(inline.TAKEN_ALONG + 2):
        failed(f"evt_{number}", -timedelta(minutes=1))
    deliver(client, event("evt_new"))
    assert WebhookEvent.objects.filter(state="failed").count() == 2


def test_the_mirror_is_tried_without_a_command(client: APIClient) -> None:
    if not apps.is_installed("djstripe"):
        pytest.skip("dj-stripe is not installed here")
    deliver(client, event(created=int(time.time())))
    row = WebhookEvent.objects.get()
    assert (row.state, row.mirror_attempts) == ("ignored", 1)


def test_trouble_with_the_mirror_is_no_trouble_for_billing(
    client: APIClient, handler: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(limit: int) -> int:
        raise RuntimeError("the mirror fell off the wall")

    handler(lambda: None)
    monkeypatch.setattr(stripe_mirror, "mirror_due", breaks)
    assert deliver(client, event(kind="test.slow")).status_code == 200
    assert is_processed()
    assert "webhook_not_worked_off" in caplog.messages
