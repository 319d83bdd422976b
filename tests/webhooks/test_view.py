"""What Stripe, and whoever pretends to be Stripe, gets for an answer; and what is in the table afterwards."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe
from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.webhooks import handles, inbox, registry
from tests.api.clients import URLS, assert_refused, client_of, token_client_of
from tests.api.contract import PARTS

URL = URLS["billing/webhook/stripe"]
SECRET = "whsec_for_the_tests"
STRIPES_ACCEPT = "*/*; q=0.5, application/xml"


def billing(**others: Any) -> dict[str, Any]:
    return {
        "STRIPE_SECRET_KEY": "sk_test_for_tests",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "STRIPE_MAX_NETWORK_RETRIES": 0,
        "WEBHOOK_PROCESSING": "worker",
        **others,
    }


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.VIDEOQ_BILLING = billing()


@pytest.fixture
def client() -> APIClient:
    return APIClient(enforce_csrf_checks=True)


def event(event_id: str = "evt_1Secret", kind: str = "test.unheard_of", **others: Any) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "type": kind,
        "created": 1_767_225_600,
        "livemode": False,
        "data": {"object": {"id": "in_1Secret", "object": "invoice", "customer": "cus_1Secret"}},
        **others,
    }


def sign(body: str | bytes, secret: str = SECRET, at: float | None = None, scheme: str = "v1") -> str:
    text = body if isinstance(body, str) else body.decode("utf-8", "surrogateescape")
    moment = int(time.time() if at is None else at)
    header = stripe.WebhookSignature.generate_signature_header(text, secret, timestamp=moment)
    return header.replace("v1=", f"{scheme}=")


def deliver(client: APIClient, body: Any, signature: str | None = None, **extra: Any) -> Any:
    """Send the body as Stripe does, signed unless a signature is given."""
    raw = json.dumps(body) if isinstance(body, dict) else body
    headers = {"accept": STRIPES_ACCEPT, "stripe-signature": sign(raw) if signature is None else signature}
    return client.generic(
        "POST", URL, raw, content_type="application/json; charset=utf-8", headers=headers, **extra
    )


def assert_nothing_stored() -> None:
    assert not WebhookEvent.objects.exists()


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
    for age in (299, 0):
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


# What is refused


BODY = json.dumps(event())
FORGED: dict[str, Callable[[], str]] = {
    "missing": lambda: "",
    "blank": lambda: " ",
    "nonsense": lambda: "nonsense",
    "empty parts": lambda: "t=,v1=",
    "no time": lambda: sign(BODY).partition(",")[2],
    "no signature": lambda: sign(BODY).partition(",")[0],
    "time is no number": lambda: sign(BODY).replace("t=", "t=x"),
    "time is endless": lambda: "t=" + "9" * 5000 + ",v1=00",
    "of another secret": lambda: sign(BODY, "whsec_other"),
    "of no secret": lambda: sign(BODY, ""),
    "of another body": lambda: sign(BODY + " "),
    "of another scheme": lambda: sign(BODY, scheme="v0"),
    "too old": lambda: sign(BODY, at=time.time() - 302),
    "cut": lambda: sign(BODY)[:-1],
    "in capitals": lambda: sign(BODY).upper(),
    "not ASCII": lambda: sign(BODY) + "\u00e9",
    "time changed": lambda: f"t={int(time.time()) + 1},{sign(BODY).partition(',')[2]}",
}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_signature_that_is_not_stripes_is_refused(client: APIClient, forge: Callable[[], str]) -> None:
    assert_refused(deliver(client, BODY, forge()), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
def test_without_the_header_it_is_refused(client: APIClient) -> None:
    assert_refused(client.post(URL, BODY, content_type="application/json"), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("changed", [BODY + "\n", BODY.replace("evt_1", "evt_2"), BODY[:-1], "", "{}"])
def test_a_body_that_was_changed_on_the_way_is_refused(client: APIClient, changed: str) -> None:
    assert_refused(deliver(client, changed, sign(BODY)), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
def test_what_was_recorded_cannot_be_sent_again_later(client: APIClient) -> None:
    body = json.dumps(event())
    recorded = sign(body, at=time.time() - 299)
    assert deliver(client, body, recorded).status_code == 200
    WebhookEvent.objects.all().delete()
    stale = sign(body, at=time.time() - 3600)
    assert_refused(deliver(client, body, stale), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("secret", ["", [], ["", ""]])
def test_without_a_secret_nothing_is_believed(client: APIClient, settings: Any, secret: Any) -> None:
    settings.VIDEOQ_BILLING = billing(STRIPE_WEBHOOK_SECRET=secret)
    assert_refused(deliver(client, BODY, sign(BODY, "")), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("key", "live"), [("sk_test_1", True), ("sk_live_1", False), ("rk_live_1", False)])
def test_test_and_live_are_not_mixed(client: APIClient, settings: Any, key: str, live: bool) -> None:
    settings.VIDEOQ_BILLING = billing(STRIPE_SECRET_KEY=key)
    assert_refused(deliver(client, event(livemode=live)), "malformed_payload")
    assert_nothing_stored()
    assert deliver(client, event(livemode=not live)).status_code == 200


WITHOUT_DATA = {name: value for name, value in event().items() if name != "data"}
NO_EVENTS = [
    *["", "nonsense", "{", "null", "[]", "1", '"evt_1"', "[" * 100_000, "{}"],
    *[json.dumps(event(**{field: value})) for field in ("id", "type") for value in (None, 1, [], {})],
    *[
        json.dumps(event(data=data))
        for data in (None, [], {}, {"object": None}, {"object": "in_1"}, {"object": []})
    ],
    json.dumps(WITHOUT_DATA),
    json.dumps(event(id="e" * 300)),
    json.dumps(event(created="yesterday")),
    json.dumps(event(created=10**20)),
]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("body", NO_EVENTS, ids=lambda body: body[:40])
def test_a_signed_body_that_is_no_event_is_refused(client: APIClient, body: str) -> None:
    assert_refused(deliver(client, body), "malformed_payload")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("body", [b"\xff\xfe", json.dumps(event()).encode("utf-16")])
def test_bytes_that_are_no_text_are_refused(client: APIClient, body: bytes) -> None:
    assert_refused(deliver(client, body, sign("x")), "invalid_signature")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("size", [10_000_000, 1_000_001])
def test_more_than_any_event_has_is_refused_unread(client: APIClient, size: int) -> None:
    body = json.dumps(event()).ljust(size)
    assert_refused(deliver(client, body), "payload_too_large")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
def test_the_limit_is_the_settings(client: APIClient, settings: Any) -> None:
    settings.VIDEOQ_BILLING = billing(WEBHOOK_MAX_BYTES=2000)
    assert_refused(deliver(client, BODY.ljust(2001)), "payload_too_large")
    assert_nothing_stored()
    assert deliver(client, BODY.ljust(2000)).status_code == 200


class Endless:
    """A body without an end, sent by somebody who does not say how long it is."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int) -> bytes:
        self.given += size
        return b" " * size

    readline = read


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("declared", ["", "100"])
def test_no_more_is_read_than_the_limit(client: APIClient, declared: str) -> None:
    body = Endless()
    response = deliver(client, BODY, **{"wsgi.input": body, "CONTENT_LENGTH": declared})
    assert_refused(response, "invalid_signature")
    assert body.given <= 100
    assert_nothing_stored()


class Broken:
    def read(self, size: int) -> bytes:
        raise OSError("connection reset")

    readline = read


@pytest.mark.usefixtures("db")
def test_whoever_hangs_up_gets_no_server_error(client: APIClient) -> None:
    assert_refused(deliver(client, BODY, **{"wsgi.input": Broken()}), "malformed_payload")
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
def test_the_log_tells_neither_the_body_nor_the_signature(
    client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    header = sign(BODY)
    deliver(client, BODY, header)
    deliver(client, BODY, sign(BODY, "whsec_other"))
    written = "".join(str(vars(record)) for record in caplog.records)
    assert "1Secret" not in written
    assert SECRET not in written
    assert header not in written


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
