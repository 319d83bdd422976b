"""Two requests with one idempotency key: Stripe is still at the first, and says so to the second."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.clients import URLS, assert_refused, client_of
from tests.api.shop import answering, settings_for
from tests.factories import make_plan, subscribed

IN_PROGRESS = {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "Wait."}}


@pytest.mark.django_db
def test_it_is_worth_trying_again(settings: Any, caplog: Any) -> None:
    plan = make_plan(price_cents=1200, stripe_price_id="price_1")
    with answering(409, json.dumps(IN_PROGRESS), Retry_After="1") as address:
        settings.VIDEOQ_BILLING = settings_for(address)
        client = client_of(subscribed(make_plan(price_cents=900)))
        response = client.post(URLS["billing/subscription/checkout"], {"plan_id": plan.pk})
    assert_refused(response, "stripe_unavailable")
    assert response.headers["Retry-After"] == "1"
    assert "stripe_refused" not in caplog.messages
