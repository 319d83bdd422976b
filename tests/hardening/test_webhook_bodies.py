"""Whatever arrives at the webhook's address, signed or not, is stored as it came or refused, and never breaks it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from tests.hardening.examples import examples
from tests.webhooks.delivery import billing, deliver, event, sign

pytestmark = pytest.mark.django_db

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
LONE_SURROGATE = "\ud800"
PARTS = ["t", "v1", "v0", "=", ",", "t=", "v1=", "0", "9" * 30, "-1", " ", "\x00", "é", str(int(time.time()))]


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.VIDEOQ_BILLING = billing()


@examples(few=150)
@given(header=st.text() | st.lists(st.sampled_from(PARTS)).map("".join), body=st.binary(max_size=50))
def test_no_header_makes_a_body_believed(header: str, body: bytes) -> None:
    answer = deliver(APIClient(), body, header.encode("utf-8", "replace").decode("latin-1"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_signature")
    assert not WebhookEvent.objects.exists()


@examples(few=60)
@given(data=st.data())
def test_a_signature_holds_for_its_body_alone(data: st.DataObject) -> None:
    """One byte that is changed, left out or added anywhere, in the body or in the signature."""
    body = json.dumps(event()).encode()
    signature = sign(body)
    place = data.draw(st.integers(0, len(body) - 1))
    kept = data.draw(st.integers(0, 1))
    new = data.draw(
        st.binary(min_size=0, max_size=2).filter(lambda new: new != body[place : place + 1][kept:])
    )
    changed = body[: place + kept] + new + body[place + 1 :]
    if changed != body:
        assert deliver(APIClient(), changed, signature).status_code == 400
    start = signature.index("v1=") + 3
    spot = data.draw(st.integers(start, len(signature) - 1))
    digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda digit: digit != signature[spot]))
    forged = signature[:spot] + digit + signature[spot + 1 :]
    assert deliver(APIClient(), body, forged).status_code == 400
    assert not WebhookEvent.objects.exists()


@examples(few=150)
@given(body=st.dictionaries(st.sampled_from([*event(), "x"]), VALUES) | VALUES)
@example(body={"data": {"object": {"x": float("nan")}}})
@example(body={"data": {"object": {"x": float("inf")}}})
@example(body={"data": {"object": {"x": LONE_SURROGATE}}})
@example(body={"data": {"object": {LONE_SURROGATE: 1}}})
@example(body={"id": LONE_SURROGATE})
@example(body={"type": LONE_SURROGATE})
@example(body={"created": -(10**15)})
@example(body={"created": float("nan")})
@example(body={"created": None})
@example(body={"type": "t" * 1000})
@example(body={"id": ""})
@example(body={"livemode": "no"})
@example(body={"data": {"object": {"customer": [1]}}})
def test_what_is_signed_is_kept_whole_or_refused(body: Any) -> None:
    """Signed bodies come from Stripe alone; what it never sent so far must not break the site either."""
    sent = {**event(), **body} if isinstance(body, dict) else body
    WebhookEvent.objects.all().delete()
    with transaction.atomic():
        answer = deliver(APIClient(), json.dumps(sent))
    assert answer.status_code in (200, 400)
    stored = WebhookEvent.objects.values_list("stripe_event_id", flat=True)
    if answer.status_code == 400:
        assert answer.json()["error"] == "malformed_payload"
        assert list(stored) == []
    else:
        assert list(stored) == [answer.json()["event_id"]]


@examples(few=100)
@given(raw=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_signed_bytes_that_are_no_event(raw: bytes) -> None:
    answer = deliver(APIClient(), raw, sign(raw))
    assert answer.status_code == 400
    assert answer.json()["error"] in ("malformed_payload", "invalid_signature")
