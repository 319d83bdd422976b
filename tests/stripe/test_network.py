"""The network between here and Stripe: it loses a request or an answer, or lets one wait for too long."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from django_videoq_billing.exceptions import StripeUnavailable
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_service.client import idempotency_key
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site, process, receive

pytestmark = pytest.mark.django_db


def configure(settings: Any, **values: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **values}


@pytest.mark.parametrize("mode", ["503", "lost"])
def test_what_the_network_lost_is_sent_again_and_happens_once(site: Site, settings: Any, mode: str) -> None:
    configure(settings, STRIPE_MAX_NETWORK_RETRIES=1)
    site.sandbox.control("outage", mode=mode, requests=1, seconds=0)
    made = StripeService.create_customer(site.user)
    assert [customer.id for customer in site.sandbox.api.customers.list()] == [made.id]


@pytest.mark.parametrize("mode", ["503", "lost"])
def test_nor_is_an_upgrade_paid_twice(site: Site, settings: Any, mode: str) -> None:
    first_subscription(site)
    configure(settings, STRIPE_MAX_NETWORK_RETRIES=1)
    subscription = f"/v1/subscriptions/{site.row.stripe_subscription_id}"
    state = StripeService.retrieve_subscription(str(site.row.stripe_subscription_id))
    site.sandbox.control("outage", mode=mode, requests=1, seconds=0, path=subscription)
    StripeService.change_price(state, str(site.premium.stripe_price_id))
    assert plan_changes.sync(site.user).plan == site.premium
    assert sorted(invoice.amount_paid for invoice in site.sandbox.api.invoices.list()) == [1200, 3700]


def test_as_often_as_the_settings_say(site: Site, settings: Any) -> None:
    configure(settings, STRIPE_MAX_NETWORK_RETRIES=1)
    site.sandbox.control("outage", mode="503", requests=2)
    with pytest.raises(StripeUnavailable):
        StripeService.create_customer(site.user)


def test_nobody_waits_longer_than_the_settings_say(site: Site, settings: Any) -> None:
    configure(settings, STRIPE_TIMEOUT_SECONDS=1)
    site.sandbox.control("outage", mode="hang", requests=1, seconds=8)
    began = time.perf_counter()
    with pytest.raises(StripeUnavailable):
        StripeService.create_customer(site.user)
    assert time.perf_counter() - began < 6


def test_the_pauses_between_attempts_are_the_settings(site: Site, settings: Any, traveller: Any) -> None:
    configure(settings, WEBHOOK_RETRY_MINUTES=[2, 7])
    site.checkout(site.standard)
    [paid] = [event for event in site.sandbox.new_events() if event["type"] == "invoice.paid"]
    receive(paid)
    site.sandbox.control("outage", mode="503", requests=100)
    pauses = []
    for _ in range(3):
        process()
        event = WebhookEvent.objects.get()
        pauses.append((event.next_attempt_at - timezone.now()) // timedelta(minutes=1))
        traveller.move_to(event.next_attempt_at)
    assert pauses == [2, 7, 7]


def test_a_key_is_one_sites_one_users_and_one_requests(settings: Any) -> None:
    """Under another's key Stripe would answer with what is another's."""
    asked = [
        (move, user, {"plan": plan}) for move in ("a", "b") for user in (1, UUID(int=1)) for plan in "xy"
    ]

    def keys() -> list[str]:
        return [idempotency_key(*one) for one in asked]

    ours = keys()
    assert len(set(ours)) == len(asked)
    assert keys() == ours
    assert idempotency_key("a", 1, {"plan": "x", "price": 2}) == idempotency_key(
        "a", 1, {"price": 2, "plan": "x"}
    )
    settings.SECRET_KEY = "another site on the same account"
    assert set(keys()).isdisjoint(ours)
