"""Events that arrive at dj-stripe's own webhook URL."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import include, path
from djstripe.models import WebhookEndpoint

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.webhooks import djstripe_bridge, inbox
from tests.signing import signature_of
from tests.stripe_site import OperatorsDriver, row_of

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]

SECRET = "whsec_of_djstripe"


@pytest.mark.urls(__name__)
class TestDjstripesOwnWebhook:
    @pytest.fixture(autouse=True)
    def _ready(self, stripe_account: OperatorsDriver, settings: Any) -> None:
        djstripe_bridge.connect()
        settings.STRIPE_TEST_SECRET_KEY = settings.VIDEOQ_BILLING["STRIPE_SECRET_KEY"]

    @pytest.fixture
    def url(self, customer: User) -> str:
        endpoint = WebhookEndpoint.objects.create(
            id="we_1", secret=SECRET, url="https://testserver/", enabled_events=["*"], status="enabled"
        )
        return f"/stripe/webhook/{endpoint.djstripe_uuid}/"

    def deliver(self, url: str, event: dict[str, Any], secret: str = SECRET) -> int:
        body = json.dumps(event)
        header = signature_of(body, secret)
        client = Client(raise_request_exception=False)
        return client.post(url, body, "application/json", headers={"stripe-signature": header}).status_code

    def test_events_of_the_other_mode_stay_with_djstripe(
        self, stripe_account: OperatorsDriver, customer: User
    ) -> None:
        event = stripe_account.all_events()[0]
        djstripe_bridge.receive({**event, "livemode": True})
        assert not WebhookEvent.objects.exists()
        djstripe_bridge.receive(event)
        assert WebhookEvent.objects.get().stripe_event_id == event["id"]

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("both", [False, True])
    def test_one_result(self, stripe_account: OperatorsDriver, customer: User, url: str, both: bool) -> None:
        for event in stripe_account.all_events():
            if both:
                inbox.store(event)
                inbox.process_event(event["id"])
            assert self.deliver(url, event) == 200
            assert self.deliver(url, event) == 200
        assert row_of(customer).plan.slug == "standard"
        assert PaymentTransaction.objects.count() == 1
        events = WebhookEvent.objects.all()
        assert {event.stripe_event_id for event in events} == {
            one["id"] for one in stripe_account.all_events()
        }
        assert {event.attempts for event in events} == {1}
        assert not connection.in_atomic_block

    @pytest.mark.django_db(transaction=True)
    def test_trouble_in_djstripe_is_no_trouble_for_billing(
        self, stripe_account: OperatorsDriver, customer: User, url: str, settings: Any
    ) -> None:
        settings.STRIPE_TEST_SECRET_KEY = "no key of Stripe"
        for event in stripe_account.all_events():
            assert self.deliver(url, event) == 500
        assert row_of(customer).plan.slug == "standard"
        assert PaymentTransaction.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_what_nobody_signed_is_not_stored(
        self, stripe_account: OperatorsDriver, customer: User, url: str
    ) -> None:
        assert self.deliver(url, stripe_account.all_events()[0], "whsec_wrong") == 400
        assert not WebhookEvent.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_worker_processes_where_the_settings_say_so(
        self, stripe_account: OperatorsDriver, customer: User, url: str, settings: Any
    ) -> None:
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "WEBHOOK_PROCESSING": "worker"}
        for event in stripe_account.all_events():
            self.deliver(url, event)
        assert row_of(customer).plan.slug == "free"
        inbox.process_due()
        assert row_of(customer).plan.slug == "standard"
