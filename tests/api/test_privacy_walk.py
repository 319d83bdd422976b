"""Everybody asks every endpoint of the URLconf, well and badly: no Stripe id and no secret comes out.

What Stripe has to be told is left out: `session_id`, the addresses of its own pages, and the id of an event in the
answer to Stripe, which sent it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from django_videoq_billing.models import UserSubscription, WebhookEvent
from django_videoq_billing.services.notifications.unsubscribing import token_for
from django_videoq_billing.urls import urlpatterns
from django_videoq_billing.webhooks import inbox
from tests.api.clients import client_of
from tests.api.shop import Shop
from tests.api.test_privacy import signed, without_ways_to_stripe
from tests.factories import make_user
from tests.leaks import hear_everything, leaks, of_the_site, written

METHODS = ("get", "post", "put", "patch", "delete", "options")
PLAIN: dict[str, list[dict[str, Any]]] = {
    name: [{}]
    for name in (
        *("plans", "subscription", "usage", "payment-method", "reactivate", "health", "unsubscribe"),
    )
}


def questions(shop: Shop, session_id: str) -> dict[str, list[dict[str, Any]]]:
    """What each endpoint is asked, by the name of its URL: rightly, and wrongly where one can."""
    wanted, evil = {"plan_id": shop.premium.pk}, "//evil.example"
    return {
        **PLAIN,
        "usage-history": [{}, {"limit": "x"}],
        "history": [{}, {"limit": -1}],
        "usage-check": [{"action": "upload_video"}, {"action": "x"}],
        "checkout": [wanted, {"plan_id": 0}, {**wanted, "success_url": evil}],
        "preview": [wanted, {"plan_id": "x"}],
        "change": [wanted, {"plan_id": 0}],
        "cancel": [{}, {"immediate": True}, {"immediate": "x"}],
        "sync": [{}, {"session_id": session_id}, {"session_id": "cs_test_unknown"}],
        "portal": [{}, {"return_url": evil}],
        "stripe-webhook": [{}, {"id": "evt_1", "object": "event"}],
    }


class Walk:
    """`answers` by the name of the endpoint; `arguments` are those of its address."""

    def __init__(self, **arguments: list[str]) -> None:
        self.arguments = arguments
        self.answers: dict[str, list[Any]] = defaultdict(list)

    def by(self, client: APIClient, asked: dict[str, list[dict[str, Any]]]) -> None:
        for pattern in urlpatterns:
            assert pattern.name in asked, "say above what to ask the new endpoint"
            url = reverse(f"videoq_billing:{pattern.name}", args=self.arguments.get(str(pattern.name)))
            for method in METHODS:
                for question in asked[pattern.name]:
                    self.answers[pattern.name].append(getattr(client, method)(url, question))

    def webhook(self, client: APIClient, event: dict[str, Any]) -> None:
        body, signature = signed(event)
        answer = client.post(
            reverse("videoq_billing:stripe-webhook"),
            body,
            content_type="application/json",
            headers={"stripe-signature": signature},
        )
        assert answer.json() == {"received": True, "event_id": event["id"]}
        answer.content = answer.content.replace(event["id"].encode(), b"")
        self.answers["stripe-webhook"].append(answer)


def play(shop: Shop, walk: Walk) -> None:
    """A life, and everybody asks everything between its moments."""
    asked = questions(shop, session_id := shop.subscribe(shop.standard))
    for event in shop.stripe.all_events():
        walk.webhook(shop.client, event)
        inbox.process_event(event["id"])
    shop.use_card("pm_card_authenticationRequired")
    for plan in (shop.premium, shop.standard):  # the bank wants it confirmed; never mind
        walk.answers["change"].append(shop.change(plan))
    assert [answer.status_code for answer in walk.answers["change"]] == [502, 200]
    shop.use_card("pm_card_visa")
    other = client_of(make_user())
    staff = client_of(make_user(is_staff=True, is_superuser=True))
    for client in (APIClient(), other, staff, shop.client):
        walk.by(client, asked)

    shop.stripe.control(f"customers/{shop.row.stripe_customer_id}/fail_next", payments=9)  # a declined card
    walk.by(shop.client, asked)

    shop.stripe.control("outage", mode="503", requests=10_000, retry_after=3)  # Stripe is away
    unlucky = {**shop.stripe.all_events()[-1], "id": "evt_2WhileStripeIsAway", "type": "invoice.paid"}
    walk.webhook(shop.client, unlucky)
    inbox.process_event(unlucky["id"])
    assert WebhookEvent.objects.get(stripe_event_id=unlucky["id"]).state == WebhookEvent.State.FAILED
    walk.by(shop.client, asked)
    shop.stripe.control("outage", mode="503", requests=0)

    shop.user.is_staff = True
    shop.user.save()
    walk.by(shop.client, asked)  # among it: cancel at once

    UserSubscription.objects.filter(user=shop.user).update(status="active")
    shop.stripe.reset()  # Stripe knows nothing of what the rows name
    walk.by(shop.client, questions(shop, session_id))


def test_nobody_hears_an_id_or_a_secret(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    hear_everything(caplog)
    walk = Walk(unsubscribe=[token_for(shop.user.pk, "usage_warning")])
    play(shop, walk)

    for name, answers in walk.answers.items():
        statuses = {answer.status_code for answer in answers}
        assert 200 in statuses, name
        assert max(statuses) >= 400, name
        assert 500 not in statuses, name
        for answer in answers:
            told = without_ways_to_stripe(answer.text) + str(answer.headers)
            assert not leaks(told), (name, told)

    heard = of_the_site(caplog.records)
    assert {"stripe", "urllib3.connectionpool", "django.request", "django_videoq_billing"} <= {
        record.name for record in heard
    }
    for record in heard:
        assert not leaks(written(record)), (record.name, record.getMessage())
