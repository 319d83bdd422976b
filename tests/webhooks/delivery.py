"""Deliveries as Stripe makes them, signed with the endpoint's secret."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.test import APIClient

from tests.api.clients import URLS
from tests.signing import signature_of

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
    return signature_of(body, secret, at).replace("v1=", f"{scheme}=")


def deliver(client: APIClient, body: Any, signature: str | None = None, **extra: Any) -> Any:
    """Send the body as Stripe does, signed unless a signature is given."""
    raw = json.dumps(body) if isinstance(body, dict) else body
    headers = {"accept": STRIPES_ACCEPT, "stripe-signature": sign(raw) if signature is None else signature}
    return client.generic(
        "POST", URL, raw, content_type="application/json; charset=utf-8", headers=headers, **extra
    )
