"""GET billing/health: who may ask, what turns it red, and that it answers whatever is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest
import time_machine
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from django_videoq_billing.models import JobRun, WebhookEvent
from django_videoq_billing.services import health
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from tests.api.clients import assert_refused, client_of
from tests.factories import make_user

TOKEN = "for-probes-of-the-tests_1"
CHECKS = ["database", "usage_store", "webhooks", "failed_webhooks", "jobs"]
State = WebhookEvent.State


@pytest.fixture
def probe(settings: Any, client: APIClient) -> Callable[[], Any]:
    """A function that asks as a probe does, with the token and nothing else."""
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "HEALTH_TOKEN": TOKEN}
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    return lambda: client.get(url())


def url() -> str:
    return reverse("videoq_billing:health")


def failing(response: Any) -> list[str]:
    """What is not well; the status and the first word must fit."""
    body = response.json()
    found = [name for name, check in body["checks"].items() if check["status"] == "failing"]
    assert body["status"] == ("failing" if found else "ok")
    assert response.status_code == (503 if found else 200)
    return found


def make_event(state: str = State.RECEIVED, *, due: timedelta, **fields: Any) -> WebhookEvent:
    """An event that was due that long ago."""
    moment = timezone.now() - due
    number = WebhookEvent.objects.count()
    return WebhookEvent.objects.create(
        stripe_event_id=f"evt_{number}",
        type="invoice.paid",
        payload={},
        state=state,
        next_attempt_at=moment,
        created_at=moment,
        **fields,
    )


@pytest.mark.django_db
class TestWhoMayAsk:
    def test_staff(self) -> None:
        assert failing(client_of(make_user(is_staff=True)).get(url())) == []

    def test_nobody_else_who_is_signed_in(self, signed_in: APIClient) -> None:
        assert_refused(signed_in.get(url()), "permission_denied")

    def test_not_nobody(self, client: APIClient) -> None:
        assert_refused(client.get(url()), "not_authenticated")

    def test_whoever_has_the_token(self, probe: Callable[[], Any]) -> None:
        assert failing(probe()) == []

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN.upper()}",
            f"Token {TOKEN}",
            TOKEN,
            "Bearer \u00ff",
            "Bearer " + "x" * 5000,
        ],
    )
    @pytest.mark.usefixtures("probe")
    def test_not_with_another(self, client: APIClient, header: str) -> None:
        client.credentials(HTTP_AUTHORIZATION=header)
        assert_refused(client.get(url()), "not_authenticated")

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer ''", "Bearer None"])
    def test_without_a_token_in_the_settings_none_is_right(self, client: APIClient, header: str) -> None:
        client.credentials(HTTP_AUTHORIZATION=header)
        assert_refused(client.get(url()), "not_authenticated")

    def test_a_probe_is_not_throttled_and_others_are(
        self, settings: Any, probe: Callable[[], Any], client: APIClient
    ) -> None:
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "THROTTLE_RATES": {"read": "1/hour"}}
        assert [probe().status_code for _ in range(3)] == [200] * 3
        staff = client_of(make_user(is_staff=True))
        assert [staff.get(url()).status_code for _ in range(2)] == [200, 429]

    def test_no_cache_keeps_it(self, probe: Callable[[], Any]) -> None:
        assert "no-store" in probe().headers["Cache-Control"]


@pytest.mark.django_db
class TestWhatTurnsItRed:
    def test_nothing_to_do_is_well(self, probe: Callable[[], Any]) -> None:
        body = probe().json()
        assert list(body["checks"]) == CHECKS
        seconds = body["checks"]["database"]["figures"].pop("seconds")
        assert 0 < seconds < 5
        assert {name: check["figures"] for name, check in body["checks"].items()} == {
            "database": {},
            "usage_store": {"lag_seconds": 0.0, "waiting": 0.0},
            "webhooks": {"overdue_seconds": 0.0, "waiting": 0.0},
            "failed_webhooks": {"failed": 0.0, "stuck": 0.0},
            "jobs": {"idle_seconds": 0.0, "failing": 0.0},
        }

    def test_jobs_that_nobody_runs(self, probe: Callable[[], Any]) -> None:
        long_ago, now = timezone.now() - timedelta(minutes=61), timezone.now()
        JobRun.objects.create(name="flush_usage", finished_at=long_ago)
        assert failing(probe()) == ["jobs"]
        JobRun.objects.create(name="reconcile_stripe", finished_at=now)
        assert failing(probe()) == []

    def test_a_job_that_fails_again_and_again(self, probe: Callable[[], Any]) -> None:
        job = JobRun.objects.create(name="flush_usage", finished_at=timezone.now(), failures=2)
        assert failing(probe()) == []
        JobRun.objects.filter(pk=job.pk).update(failures=3)
        assert failing(probe()) == ["jobs"]

    def test_an_event_that_nobody_works_on(self, probe: Callable[[], Any]) -> None:
        make_event(due=timedelta(minutes=9))
        make_event(State.FAILED, due=timedelta(minutes=2), attempts=1)
        assert failing(probe()) == []
        figures = probe().json()["checks"]["webhooks"]["figures"]
        assert 540 <= figures["overdue_seconds"] < 560
        assert figures["waiting"] == 2

        make_event(due=timedelta(minutes=11))
        assert failing(probe()) == ["webhooks"]

    def test_an_event_whose_worker_has_died(self, probe: Callable[[], Any]) -> None:
        now, old = timezone.now(), timedelta(hours=3)
        event = make_event(State.PROCESSING, due=old, leased_until=now + timedelta(minutes=1))
        assert failing(probe()) == [], "somebody is at it"
        WebhookEvent.objects.filter(pk=event.pk).update(leased_until=now - timedelta(minutes=11))
        assert failing(probe()) == ["webhooks"]

    def test_an_event_that_waits_for_its_next_attempt_is_no_fault(self, probe: Callable[[], Any]) -> None:
        make_event(State.FAILED, due=-timedelta(minutes=5), attempts=4)
        make_event(State.PROCESSED, due=timedelta(days=1))
        make_event(State.IGNORED, due=timedelta(days=1))
        assert failing(probe()) == []
        assert probe().json()["checks"]["failed_webhooks"]["figures"] == {"failed": 1, "stuck": 0}

    def test_an_event_that_has_failed_at_every_attempt(self, probe: Callable[[], Any]) -> None:
        make_event(State.FAILED, due=-timedelta(minutes=5), attempts=5)
        assert failing(probe()) == ["failed_webhooks"]
        assert probe().json()["checks"]["failed_webhooks"]["figures"] == {"failed": 1, "stuck": 1}

    def test_it_costs_few_queries_however_many_wait(
        self, probe: Callable[[], Any], django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(30):
            make_event(State.FAILED, due=timedelta(minutes=11), attempts=9)
        with django_assert_max_num_queries(7):
            assert failing(probe()) == ["webhooks", "failed_webhooks"]


@pytest.mark.django_db
class TestWhateverIsAway:
    def test_one_check_that_breaks_leaves_the_others(
        self, probe: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken() -> NoReturn:
            raise ValueError("cus_Secret1234")

        monkeypatch.setitem(health.PROBES, "usage_store", broken)
        response = probe()
        assert failing(response) == ["usage_store"]
        assert response.json()["checks"]["usage_store"] == {"status": "failing", "figures": {}}
        assert "Secret" not in response.text
        (record,) = [one for one in caplog.records if one.getMessage() == "health_probe_failed"]
        assert (vars(record)["probe"], vars(record)["error"]) == ("usage_store", "ValueError")

    def test_the_database(self, probe: Callable[[], Any]) -> None:
        def gone(*query: Any) -> NoReturn:
            raise OperationalError("could not connect to server at 10.0.0.5")

        with connection.execute_wrapper(gone):
            response = probe()
        assert failing(response) == ["database", "webhooks", "failed_webhooks", "jobs"]
        assert "10.0.0.5" not in response.text


@pytest.mark.django_db(transaction=True)
def test_a_store_that_nobody_flushes(redis_settings: Any, probe: Callable[[], Any]) -> None:
    UsageTracker.count(make_user(), "video")
    assert failing(probe()) == []

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert failing(probe()) == ["usage_store"]
        assert probe().json()["checks"]["usage_store"]["figures"]["waiting"] == 2
        flush_usage()
        assert failing(probe()) == []
