"""Worker processes on one inbox: two at once, and one that is killed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from django_videoq_billing.models import PaymentTransaction, UserSubscription, WebhookEvent
from django_videoq_billing.services.checkout import start_checkout
from tests.sandbox.driver import Driver
from tests.stripe.lifecycles import LIFECYCLES
from tests.stripe.site import SECRET, Deliver, Later, Site, in_order, receive
from tests.stripe.test_lifecycles import Life, fresh_rows
from tests.stripe.workers import Worker, until

# available_apps: only these tables are emptied after each test, which is much faster than all of dj-stripe's.
COMMITTED = pytest.mark.django_db(
    transaction=True, available_apps=["django_videoq_billing", "django.contrib.auth"]
)
pytestmark = [pytest.mark.postgres, COMMITTED]
State = WebhookEvent.State


@pytest.fixture
def with_endpoint(sandbox: Driver, settings: Any, live_server: Any) -> Driver:
    """The sandbox, which keeps its deliveries, and loses, doubles and shuffles them when they are due."""
    url = f"{live_server.url}/api/billing/webhook/stripe"
    endpoint = sandbox.api.webhook_endpoints.create(params={"url": url, "enabled_events": ["*"]})
    sandbox.control(
        "switches",
        paused=True,
        drop="first",
        duplicate=1,
        shuffle=True,
        concurrency=2,
        signature_time="clock",
    )
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "STRIPE_WEBHOOK_SECRET": [SECRET, endpoint.secret],
        "WEBHOOK_PROCESSING": "worker",
    }
    return sandbox


@pytest.mark.parametrize("life", LIFECYCLES, ids=lambda life: life.__name__)
def test_two_workers_at_once_end_in_the_same_rows(
    with_endpoint: Driver, make_site: Callable[[Deliver], Site], two_workers: list[Worker], life: Life
) -> None:
    site = make_site(Later(in_order))
    life(site)
    site.settle()
    with fresh_rows():
        site.finish()
        one_after_the_other = site.snapshot()

    with_endpoint.control("deliveries/flush")
    assert not WebhookEvent.objects.exists(), "every first delivery is lost"
    assert with_endpoint.control("deliveries/flush")["pending"] == 0
    everything = len(with_endpoint.all_events())
    assert WebhookEvent.objects.count() == everything
    done = at_once(two_workers, site)

    assert sum(done) == everything
    assert set(WebhookEvent.objects.values_list("attempts", "error")) == {(1, "")}
    assert site.snapshot() == one_after_the_other


def at_once(workers: list[Worker], site: Site) -> list[int]:
    """Let the workers go when each has an event in hand; return how many each worked on."""
    try:
        with transaction.atomic():
            UserSubscription.objects.select_for_update().get(user=site.user)  # here they wait for us
            for worker in workers:
                worker.begin()
            until(lambda: WebhookEvent.objects.filter(state=State.PROCESSING).count() == len(workers))
    finally:
        done = [worker.end() for worker in workers]
    return done


def test_nobody_waits_for_an_event_that_another_is_about_to_claim(
    site: Site, two_workers: list[Worker]
) -> None:
    site.checkout(site.standard)
    for event in site.sandbox.new_events():
        receive(event)
    others = WebhookEvent.objects.count() - 1
    first = WebhookEvent.objects.order_by("created_at", "pk").values_list("pk", flat=True)[0]
    worker = two_workers[0]
    try:
        with transaction.atomic():
            WebhookEvent.objects.select_for_update().get(pk=first)
            worker.begin()
            until(lambda: WebhookEvent.objects.filter(state__in=WebhookEvent.DONE).count() == others)
    finally:
        done = worker.end()
    assert done in (others, others + 1), "the last one, too, if it came free in time"


def test_the_event_of_a_killed_worker_is_taken_up_by_another(
    site: Site, two_workers: list[Worker], traveller: Any
) -> None:
    """Killed when the payment is written down, and the subscription is not: it waits for Stripe's answer."""
    site.checkout(site.standard)
    [paid] = [event for event in site.sandbox.new_events() if event["type"] == "invoice.paid"]
    receive(paid)
    site.sandbox.control("outage", mode="hang", requests=1, seconds=9, path="/v1/subscriptions")
    killed, other = Worker(), two_workers[0]
    killed.begin()
    until(lambda: site.sandbox.http.get("/_sandbox/switches").json()["outage"]["requests"] == 0)
    assert killed.kill() == -signal.SIGKILL
    event = WebhookEvent.objects.get()
    assert (event.state, site.row.plan) == (State.PROCESSING, site.free)
    assert PaymentTransaction.objects.count() == 1, "it was in the middle"

    other.begin()
    assert other.end() == 0, "the first may still be alive"
    traveller.move_to(event.leased_until)
    other.begin()
    assert other.end() == 1

    event.refresh_from_db()
    assert (event.state, event.attempts, event.error) == (State.PROCESSED, 2, "")
    assert site.row.plan == site.standard
    assert PaymentTransaction.objects.count() == 1


def test_racing_checkouts_open_one_page(site: Site) -> None:
    barrier = Barrier(4)

    def work(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            session = start_checkout(
                site.user, site.standard, "https://testserver/ok", "https://testserver/no"
            )
            return session.id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sessions = set(pool.map(work, range(4)))

    assert len(sessions) == 1
    assert len(site.sandbox.api.customers.list().data) == 1
