"""What is refused, and that nothing of it is stored."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from tests.api.clients import assert_refused
from tests.webhooks.delivery import SECRET, URL, billing, deliver, event, sign


def assert_nothing_stored() -> None:
    assert not WebhookEvent.objects.exists()


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
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        recorded = sign(BODY)
        assert deliver(client, BODY, recorded).status_code == 200
        clock.shift(300)
        assert deliver(client, BODY, recorded).status_code == 200
        assert WebhookEvent.objects.count() == 1, "at once it changes nothing"
        WebhookEvent.objects.all().delete()
        clock.shift(1)
        assert_refused(deliver(client, BODY, recorded), "invalid_signature")
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
WRONG: list[Any] = [None, 1, [], {}]
NO_EVENTS = [
    *["", "nonsense", "{", "null", "[]", "1", '"evt_1"', "[" * 100_000, "{}"],
    *[json.dumps({**event(), field: value}) for field in ("id", "type") for value in WRONG],
    *[json.dumps(event(data={"object": value})) for value in (*WRONG[:3], "in_1")],
    *[json.dumps(event(data=data)) for data in WRONG],
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
def test_more_than_any_event_has_is_refused(client: APIClient, size: int) -> None:
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
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": declared}
    response = deliver(client, BODY, **environ)
    assert_refused(response, "invalid_signature")
    assert body.given <= 100
    assert_nothing_stored()


@pytest.mark.usefixtures("db")
def test_of_what_says_that_it_is_too_long_nothing_is_read(client: APIClient) -> None:
    body = Endless()
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": "10000000"}
    assert_refused(deliver(client, BODY, **environ), "payload_too_large")
    assert body.given == 0
    assert_nothing_stored()


class Broken:
    def read(self, size: int) -> bytes:
        raise OSError("connection reset")

    readline = read


@pytest.mark.usefixtures("db")
def test_whoever_hangs_up_gets_no_server_error(client: APIClient) -> None:
    environ: dict[str, Any] = {"wsgi.input": Broken()}
    assert_refused(deliver(client, BODY, **environ), "malformed_payload")
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
