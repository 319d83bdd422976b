"""A sandbox in its own process for what operators do, and a site with plans and a paying user beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from django.contrib.auth.models import User

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.stripe_plans import push_plans
from django_videoq_billing.webhooks import inbox
from tests.factories import make_plan, make_user
from tests.sandbox.driver import Driver, running

API_KEY = "sk_test_0123456789abcdefghijklmnop"  # dj-stripe takes no key that does not look like Stripe's
CARD = "4242424242424242"


class OperatorsDriver(Driver):
    """The sandbox as the operator's own Stripe account."""

    def client(self, key: str = API_KEY, **options: Any) -> stripe.StripeClient:
        return super().client(key, **options)


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[OperatorsDriver]:
    with running("--seed", "operator", "--api-key", API_KEY) as driver:
        operators = OperatorsDriver(driver.url)
        yield operators
        operators.http.close()
        operators.recorder.close()


@pytest.fixture
def stripe_account(
    stripe_process: OperatorsDriver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> OperatorsDriver:
    """A fresh Stripe account, and settings that lead to it; dj-stripe reads its address at import alone."""
    stripe_process.reset()
    settings.VIDEOQ_BILLING = {
        **settings.VIDEOQ_BILLING,
        "STRIPE_SECRET_KEY": API_KEY,
        "STRIPE_WEBHOOK_SECRET": "whsec_operator",
        "STRIPE_API_BASE": stripe_process.url,
        "STRIPE_MAX_NETWORK_RETRIES": 0,
    }
    settings.STRIPE_API_HOST = stripe_process.url
    monkeypatch.setattr(stripe, "api_base", stripe_process.url)
    monkeypatch.setattr(stripe, "max_network_retries", 0)
    return stripe_process


@pytest.fixture
def plans(db: None) -> list[SubscriptionPlan]:
    """Free, and two that cost money and are unknown to Stripe."""
    free = make_plan(name="Free", slug="free", video_limit=3, sort_order=1)
    standard = make_plan(name="Standard", slug="standard", price_cents=1200, sort_order=2)
    premium = make_plan(name="Premium", slug="premium", price_cents=4900, sort_order=3)
    return [free, standard, premium]


@pytest.fixture
def customer(stripe_account: OperatorsDriver, plans: list[SubscriptionPlan]) -> User:
    """A user who has paid for the standard plan, whatever the site has heard of it."""
    list(push_plans())
    return subscribe(stripe_account, make_user(username="grace"), "standard")


def subscribe(account: Driver, user: User, slug: str) -> User:
    """Go through checkout; no event is delivered."""
    plan = SubscriptionPlan.objects.get(slug=slug)
    session = start_checkout(user, plan, "https://testserver/ok", "https://testserver/no")
    account.control(f"checkout/{session.id}/pay", card=CARD)
    return user


def row_of(user: User) -> UserSubscription:
    return UserSubscription.objects.select_related("plan").get(user=user)


def receive(account: Driver) -> list[str]:
    """Put everything that has happened since the last call into the inbox; return the types of the events."""
    events = account.new_events()
    for event in events:
        inbox.store(event)
    return [event["type"] for event in events]
