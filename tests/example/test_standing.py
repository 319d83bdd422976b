"""Every state of a subscription is told in words, and none leaves the pages speechless."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from django_videoq_billing.models import UserSubscription
from tests.factories import make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
TELLS = [
    ({"stripe_subscription_id": None}, "This plan was given to you"),
    ({"status": "active"}, "It renews on July 1, 2026."),
    ({"status": "trialing", "trial_end": JULY}, "Your trial is free until July 1, 2026"),
    ({"status": "trialing", "trial_end": JULY, "cancel_at_period_end": True}, "ends on July 1, 2026"),
    ({"status": "past_due", "grace_period_end": datetime(2026, 6, 4, tzinfo=UTC)}, "until June 4, 2026"),
    ({"status": "past_due", "grace_period_end": JUNE}, "Until it is paid, the limits of Free hold."),
    ({"status": "past_due", "cancel_at_period_end": True}, "Only the payment that is open may still"),
    ({"status": "unpaid"}, "failed every time"),
    ({"status": "paused"}, "is paused"),
    ({"status": "incomplete"}, "was not finished"),
    ({"status": "incomplete_expired"}, "was not finished"),
    ({"status": "cancelled"}, "has ended"),
]


@pytest.fixture
def today() -> Any:
    with time_machine.travel(datetime(2026, 6, 2, tzinfo=UTC), tick=False):
        yield


@pytest.mark.parametrize(("fields", "words"), TELLS)
def test_every_state_has_its_words(
    today: None, browser: Client, user: Any, fields: dict[str, Any], words: str
) -> None:
    values = {
        "plan": make_plan(name="Standard", slug="standard", price_cents=1200),
        "stripe_subscription_id": "sub_1",
        "stripe_customer_id": "cus_1",
        "current_period_start": JUNE,
        "current_period_end": JULY,
        **fields,
    }
    UserSubscription.objects.update_or_create(user=user, defaults=values)

    assert words in browser.get("/billing/plain/").content.decode()
    assert "Standard" in browser.get("/plans/").content.decode()


@pytest.mark.parametrize(
    ("status", "words"), [("past_due", "Settle the open payment first"), ("paused", "Once it is resumed")]
)
def test_the_plans_say_why_none_can_be_chosen(
    today: None, browser: Client, user: Any, status: str, words: str
) -> None:
    plan = make_plan(name="Standard", slug="standard", price_cents=1200)
    billed = {"plan": plan, "status": status, "stripe_subscription_id": "sub_1"}
    period = {"current_period_start": JUNE, "current_period_end": JULY}
    UserSubscription.objects.update_or_create(user=user, defaults={**billed, **period})

    page = browser.get("/plans/").content.decode()

    assert words in page
    assert "Your plan" not in page


def test_the_free_plan_costs_nothing(browser: Client) -> None:
    page = browser.get("/billing/plain/").content.decode()

    assert "Nothing is charged." in page
    assert "See the plans" in page
    assert "Manage payment" not in page
