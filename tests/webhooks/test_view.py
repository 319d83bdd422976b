"""What is taken, and what happens to it afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.webhooks import handles, inbox, registry
from tests.api.clients import client_of, token_client_of
from tests.api.contract import PARTS
from tests.webhooks.delivery import SECRET, billing, deliver, event, sign

# What is taken


@pytest.mark.usefixtures("db")
def test_an_event_is_stored_with_one_insert_and_acknowledged(client: APIClient) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = deliver(client, event())
    assert (response.status_code, list(response.json())) == (200, PARTS["WebhookReceived"])
    assert response.json() == {"received": True, "event_id": "evt_1Secret"}
    (query,) = queries.captured_queries
    assert query["sql"].startswith("INSERT")
    row = WebhookEvent.objects.get()
    assert (row.stripe_event_id, row.type, row.state, row.attempts) == (
        "evt_1Secret",
        "test.unheard_of",
        "received",
        0,
    )
    assert row.payload == event()
    assert row.created_at.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.usefixtures("db")
def test_an_event_is_stored_once_however_often_it_comes(client: APIClient) -> None:
    deliver(client, event())
    WebhookEvent.objects.update(state="processed", attempts=1)
    answers = {deliver(client, event(pending_webhooks=n)).status_code for n in range(3)}
    assert answers == {200}
    row = WebhookEvent.objects.get()
    assert (row.state, row.attempts, row.payload) == ("processed", 1, event())


@pytest.mark.usefixtures("db")
def test_the_first_delivery_and_a_retry_are_signed_differently(client: APIClient) -> None:
    body = json.dumps(event())
    for age in (200, 0):
        assert deliver(client, body, sign(body, at=time.time() - age)).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("secrets", [["whsec_new", SECRET], (SECRET, "whsec_new")])
def test_while_the_secret_is_rotated_both_count(client: APIClient, settings: Any, secrets: Any) -> None:
    settings.VIDEOQ_BILLING = billing(STRIPE_WEBHOOK_SECRET=secrets)
    body = json.dumps(event())
    assert deliver(client, body, sign(body, "whsec_new")).status_code == 200
    assert deliver(client, body, sign(body)).status_code == 200
    both = f"{sign(body, 'whsec_gone')},{sign(body).partition(',')[2]}"
    assert deliver(client, body, both).status_code == 200


@pytest.mark.usefixtures("db")
def test_some_objects_have_no_id(client: APIClient) -> None:
    """Stripe would send a refused event for days, and then close the endpoint."""
    balance = event(kind="balance.available", data={"object": {"object": "balance", "livemode": False}})
    assert deliver(client, balance).status_code == 200
    assert inbox.process_due() == 1
    assert WebhookEvent.objects.get().state == "ignored"


@pytest.mark.usefixtures("db")
def test_text_of_every_script_survives(client: APIClient) -> None:
    data = {"object": {"id": "cus_1", "object": "customer", "name": "山田 🎬 \u2028"}}
    body = json.dumps(event(data=data), ensure_ascii=False)
    assert deliver(client, body.encode(), sign(body)).status_code == 200
    assert WebhookEvent.objects.get().payload["data"] == data


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\0\0b", "ab"),  # which PostgreSQL cannot store
        (r"a\u0000", r"a\u0000"),
        ("a\\\0", "a\\"),
        (r"\\u0000\\" + "\0", r"\\u0000\\"),
    ],
)
def test_whatever_a_customer_typed_as_a_name(client: APIClient, typed: str, kept: str) -> None:
    data = {"object": {"id": "cus_1", "object": "customer", "name": typed}}
    assert deliver(client, event(data=data)).status_code == 200
    assert WebhookEvent.objects.get().payload["data"]["object"]["name"] == kept


@pytest.mark.parametrize("kind", ["nobody", "session", "token", "wrong token", "inactive"])
def test_who_asks_does_not_matter(user: Any, kind: str) -> None:
    client = {"session": client_of, "token": token_client_of}.get(kind, lambda user: APIClient())(user)
    client.handler.enforce_csrf_checks = True
    if kind == "wrong token":
        client.credentials(HTTP_AUTHORIZATION="Token wrong")
    assert deliver(client, event()).status_code == 200


def reads_first(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """A host's middleware that wants to see every body."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        assert request.body
        return get_response(request)

    return middleware


@pytest.mark.usefixtures("db")
def test_a_middleware_may_have_read_the_body(client: APIClient, settings: Any) -> None:
    settings.MIDDLEWARE = ["tests.webhooks.test_view.reads_first", *settings.MIDDLEWARE]
    assert deliver(client, event()).status_code == 200


@pytest.mark.usefixtures("db")
def test_the_sites_limit_for_forms_is_not_the_inboxs(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert deliver(client, event()).status_code == 200


# What happens afterwards


@pytest.fixture
def heard() -> Iterator[list[bool]]:
    """Whether a transaction was open, for each time that the handler of "test.heard" ran."""
    calls: list[bool] = []

    @handles("test.heard")
    def listen(event: WebhookEvent) -> None:
        calls.append(connection.in_atomic_block)

    yield calls
    del registry._handlers["test.heard"]


@pytest.mark.usefixtures("transactional_db")
class TestProcessing:
    @pytest.mark.parametrize("atomic_requests", [False, True])
    def test_in_the_same_process_it_begins_when_the_event_is_safe(
        self,
        client: APIClient,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
        heard: list[bool],
        atomic_requests: bool,
    ) -> None:
        settings.VIDEOQ_BILLING = billing(WEBHOOK_PROCESSING="inline")
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
        for _ in range(2):
            assert deliver(client, event(kind="test.heard")).status_code == 200
        assert heard == [False]
        assert WebhookEvent.objects.get().state == "processed"

    def test_a_worker_does_it_later(self, client: APIClient, heard: list[bool]) -> None:
        deliver(client, event(kind="test.heard"))
        assert (heard, WebhookEvent.objects.get().state) == ([], "received")
        assert inbox.process_due() == 1
        assert (heard, WebhookEvent.objects.get().state) == ([False], "processed")

    def test_what_goes_wrong_is_kept_and_is_no_news_to_stripe(self, client: APIClient, settings: Any) -> None:
        settings.VIDEOQ_BILLING = billing(WEBHOOK_PROCESSING="inline")
        response = deliver(client, event(kind="invoice.paid"))  # and Stripe cannot be asked about it
        assert response.json() == {"received": True, "event_id": "evt_1Secret"}
        row = WebhookEvent.objects.get()
        assert (row.state, row.attempts) == ("failed", 1)
        assert "StripeUnavailable" in row.error

    def test_even_where_the_inbox_itself_breaks(
        self, client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        def breaks(event_id: str) -> bool:
            raise RuntimeError("the database has just gone")

        settings.VIDEOQ_BILLING = billing(WEBHOOK_PROCESSING="inline")
        monkeypatch.setattr(inbox, "process_event", breaks)
        assert deliver(client, event()).status_code == 200
        assert WebhookEvent.objects.get().state == "received"
        assert "the database has just gone" in caplog.text
