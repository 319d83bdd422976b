"""With the local Stripe the site lives at its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from django_videoq_billing.models import JobRun
from django_videoq_billing.services.usage_tracker import UsageTracker
from example_project.videos import sandbox_clock
from tests.sandbox.driver import START, Driver, free_port

pytestmark = pytest.mark.urls("example_project.urls")

BEGINNING = datetime.fromtimestamp(START, tz=UTC)


@pytest.fixture
def visit(sandbox: Driver, traveller: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One request through the middleware; both clocks begin together."""
    monkeypatch.setattr(timezone, "now", timezone.now)
    monkeypatch.setattr(sandbox_clock, "_ahead", timedelta())
    middleware = sandbox_clock.follow_sandbox(lambda request: HttpResponse())
    return lambda: middleware(RequestFactory().get("/"))


def test_the_site_follows_the_console(visit: Any, sandbox: Driver) -> None:
    visit()
    assert not sandbox_clock.is_ahead()

    sandbox.advance(days=31)
    visit()

    assert sandbox_clock.is_ahead()
    assert timezone.now() == BEGINNING + timedelta(days=31)


def test_a_sandbox_that_does_not_answer_leaves_the_clock_alone(
    visit: Any, sandbox: Driver, settings: Any
) -> None:
    sandbox.advance(days=31)
    visit()
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{free_port()}"

    visit()

    assert timezone.now() == BEGINNING + timedelta(days=31)


@pytest.mark.django_db
def test_the_pages_say_so(visit: Any, sandbox: Driver, settings: Any, client: Client) -> None:
    settings.STRIPE_SANDBOX = True
    assert "and this site follows" in client.get("/plans/").content.decode()

    sandbox.advance(days=31)
    visit()

    page = client.get("/plans/").content.decode()
    assert "has advanced the time to Feb. 1, 2026, midnight" in page
    assert f'href="{sandbox.url}/_sandbox/"' in page


@pytest.mark.django_db
def test_the_jobs_live_at_the_sandboxs_time_too(
    visit: Any, sandbox: Driver, settings: Any, user: Any
) -> None:
    """What is due by then is done without anybody at the site."""
    settings.STRIPE_SANDBOX = True
    UsageTracker.reserve(user, "video")
    call_command("demo_jobs", stdout=StringIO())
    assert UsageTracker.get_usage(user)["video_count"] == 1

    sandbox.advance(days=20)
    call_command("demo_jobs", stdout=StringIO())

    assert UsageTracker.get_usage(user)["video_count"] == 0
    assert JobRun.objects.get(name="expire_reservations").started_at == BEGINNING + timedelta(days=20)
