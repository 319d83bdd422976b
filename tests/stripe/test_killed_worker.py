"""A worker process that is killed in the middle of an event, while it waits for Stripe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from tests.stripe.site import Site, process, receive

WORKER = """
import json, sys, django
django.setup()
from django.test.utils import override_settings
from django_videoq_billing.webhooks import inbox
with override_settings(VIDEOQ_BILLING=json.loads(sys.argv[1])):
    inbox.process_due()
"""


@contextmanager
def worker(billing: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in its own process, on this test's database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": urlunsplit(database),
    }
    command = [sys.executable, "-c", WORKER, json.dumps(billing)]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 (our own code)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_its_event_is_taken_up_again_and_nothing_is_counted_twice(
    site: Site, traveller: Any, settings: Any
) -> None:
    site.checkout(site.standard)
    for sent in site.sandbox.new_events():
        receive(sent)
    site.sandbox.control("outage", mode="hang", requests=1, seconds=60)
    in_hand = WebhookEvent.objects.filter(state=WebhookEvent.State.PROCESSING)
    with worker({**settings.VIDEOQ_BILLING, "STRIPE_TIMEOUT_SECONDS": 60}) as process_of_worker:
        # Some events need no question to Stripe; the one that does waits, and is in hand.
        assert until(lambda: in_hand.exists() and not outage_left(site)), "it never began"
        process_of_worker.send_signal(signal.SIGKILL)
        process_of_worker.wait(timeout=10)
    event = in_hand.get()

    assert event.leased_until is not None
    traveller.move_to(event.leased_until - timedelta(seconds=1))
    process()
    assert in_hand.get() == event, "it may be alive as long as its lease"
    traveller.shift(timedelta(seconds=2))
    process()

    event.refresh_from_db()
    assert (event.state, event.attempts) == (WebhookEvent.State.PROCESSED, 2)
    assert site.row.plan == site.standard
    assert PaymentTransaction.objects.count() == 1


def outage_left(site: Site) -> bool:
    """Whether nobody has asked Stripe yet."""
    left: int = site.sandbox.http.get("/_sandbox/switches").json()["outage"]["requests"]
    return left > 0


def until(condition: Any, seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    return bool(condition())
