"""Stripe refuses, or is away: two different answers, never a 500, and nothing of Stripe's words in them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from tests.api.clients import ask, assert_refused, client_of
from tests.api.contract import ASK_STRIPE
from tests.api.shop import KEY, answering, settings_for
from tests.factories import make_plan, subscribed

SAYS_TOO_MUCH = json.dumps(
    {
        "error": {
            "type": "invalid_request_error",
            "code": "parameter_invalid",
            "message": f"cus_Secret12345 is not of acct_Secret12345; your key was {KEY}",
            "param": "customer",
            "request_log_url": "https://dashboard.example/acct_Secret12345/logs/req_Secret12345",
        }
    }
)
REFUSED = json.dumps(
    {"error": {"type": "card_error", "code": "card_declined", "decline_code": "stolen_card"}}
)


@pytest.fixture
def plan_on_sale(db: None) -> SubscriptionPlan:
    return make_plan(price_cents=4900, stripe_price_id="price_Secret12345")


def state() -> list[dict[str, Any]]:
    """What a user would see, without the marks of those who asked."""
    return [
        {name: value for name, value in row.items() if name != "updated_at" and "sync" not in name}
        for row in UserSubscription.objects.values()
    ]


def ours(records: list[logging.LogRecord]) -> list[logging.LogRecord]:
    """Without what the SDK, and the tests' own client, say of each request below the level of a warning."""
    return [r for r in records if r.name not in ("stripe", "httpx") or r.levelno >= logging.WARNING]


def asker(endpoint: tuple[str, str]) -> APIClient:
    """A client who gets as far as Stripe: a paying user, or, to check out, one who pays nothing yet."""
    paid: dict[str, Any] = {"stripe_customer_id": "cus_Secret12345"}
    if not endpoint[1].endswith("checkout"):
        paid["stripe_subscription_id"] = "sub_Secret12345"
    return client_of(subscribed(make_plan(price_cents=1200), **paid))


@pytest.mark.parametrize("endpoint", ASK_STRIPE)
class TestStripeIsAway:
    def test_nobody_listens(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str]
    ) -> None:
        settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
        client = asker(endpoint)
        before = state()
        response = ask(client, endpoint, plan_id=plan_on_sale.pk)
        assert assert_refused(response, "stripe_unavailable")["details"] is None
        assert response.headers["Retry-After"] == "10"
        assert state() == before

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_it_says_when_to_come_back(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str], status: int
    ) -> None:
        with answering(status, '{"error": {"type": "api_error"}}', Retry_After="7") as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        assert_refused(response, "stripe_unavailable")
        assert response.headers["Retry-After"] == "7"

    def test_it_answers_no_json(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str]
    ) -> None:
        with answering(502, "<html>Bad gateway</html>") as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        assert_refused(response, "stripe_unavailable")


@pytest.mark.parametrize("endpoint", ASK_STRIPE)
class TestStripeRefuses:
    def test_what_it_says_stays_here(
        self,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
        plan_on_sale: SubscriptionPlan,
        endpoint: tuple[str, str],
    ) -> None:
        caplog.set_level(logging.INFO)
        with answering(400, SAYS_TOO_MUCH) as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        assert assert_refused(response, "stripe_error")["details"] == {"reason": "refused"}
        written = response.text + "".join(str(vars(record)) for record in ours(caplog.records))
        assert "Secret12345" not in response.text
        assert KEY not in written
        assert "acct_Secret12345" not in written

    def test_a_declined_card_is_no_error_of_the_site(
        self,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
        plan_on_sale: SubscriptionPlan,
        endpoint: tuple[str, str],
    ) -> None:
        with answering(402, REFUSED) as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        details = {"reason": "card_declined", "decline_code": "stolen_card"}
        assert assert_refused(response, "stripe_error")["details"] == details
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    @pytest.mark.parametrize(
        "error",
        [
            {"code": "authentication_required", "decline_code": "authentication_required"},
            {"code": "card_declined", "decline_code": "authentication_required"},
            {"code": "subscription_payment_intent_requires_action"},
        ],
    )
    def test_a_card_that_wants_its_holder_is_not_a_declined_one(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str], error: dict[str, str]
    ) -> None:
        with answering(402, json.dumps({"error": {"type": "card_error", **error}})) as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        details = {"reason": "authentication_required", "payment_url": None}
        assert assert_refused(response, "stripe_error")["details"] == details

    def test_a_key_that_stripe_does_not_know(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str]
    ) -> None:
        with answering(401, '{"error": {"message": "Invalid API Key provided"}}') as address:
            settings.VIDEOQ_BILLING = settings_for(address)
            response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        assert_refused(response, "stripe_error")

    def test_without_a_key_nobody_is_asked(
        self, settings: Any, plan_on_sale: SubscriptionPlan, endpoint: tuple[str, str]
    ) -> None:
        settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9", STRIPE_SECRET_KEY="")
        response = ask(asker(endpoint), endpoint, plan_id=plan_on_sale.pk)
        assert response.status_code in (502, 503)
        assert response.json()["error"] in ("stripe_error", "stripe_unavailable")
