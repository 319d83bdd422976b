"""A small site that runs no command: its mirror is filled by the process that received the event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_videoq_billing.models import WebhookEvent
from tests.api.clients import URLS, client_of
from tests.signing import signature_of
from tests.stripe_site import OperatorsDriver, row_of

pytestmark = [
    pytest.mark.skipif(not apps.is_installed("djstripe"), reason="dj-stripe is not installed here"),
    pytest.mark.django_db(transaction=True),
]


def deliver(events: list[dict[str, Any]]) -> None:
    for event in events:
        body = json.dumps(event)
        signature = signature_of(body, "whsec_operator")
        answer = APIClient().generic(
            "POST", URLS["billing/webhook/stripe"], body, headers={"stripe-signature": signature}
        )
        assert answer.status_code == 200


def test_the_card_is_known_and_changes_with_the_events_alone(
    stripe_account: OperatorsDriver, customer: User, settings: Any
) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "WEBHOOK_PROCESSING": "inline"}
    deliver(stripe_account.new_events())
    assert row_of(customer).plan.slug == "standard"
    card = client_of(customer).get(URLS["billing/payment-method"]).json()
    assert (card["brand"], card["last4"]) == ("visa", "4242")
    assert not WebhookEvent.objects.filter(mirrored_at=None).exists()
