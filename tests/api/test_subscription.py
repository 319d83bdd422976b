"""GET billing/subscription."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from tests.api.clients import URLS, assert_refused, client_of
from tests.api.contract import ENUMS, OBJECTS
from tests.factories import make_plan, make_user, subscribed

SUBSCRIPTION = URLS["billing/subscription"]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 10, 12, tzinfo=UTC)


def shown_to(user: Any) -> dict[str, Any]:
    response = client_of(user).get(SUBSCRIPTION)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def test_a_subscription_has_the_contracts_fields(plan: SubscriptionPlan) -> None:
    with time_machine.travel(NOON, tick=False):
        user = subscribed(plan, trial_end=APRIL)
        body = shown_to(user)
    assert list(body) == OBJECTS["UserSubscription"]
    assert list(body["plan"]) == OBJECTS["SubscriptionPlan"]
    assert body | {"plan": body["plan"]["slug"]} == {
        "id": user.subscription.pk,
        "plan": plan.slug,
        "status": "active",
        "current_period_start": "2026-03-10T12:00:00Z",
        "current_period_end": "2026-04-10T12:00:00Z",
        "cancel_at_period_end": False,
        "cancelled_at": None,
        "trial_end": "2026-04-10T12:00:00Z",
        "grace_period_end": None,
        "pending_plan": None,
        "pending_plan_effective_at": None,
        "created_at": body["created_at"],
    }


def test_a_pending_plan_is_shown_whole(plan: SubscriptionPlan) -> None:
    smaller = make_plan(slug="smaller")
    with time_machine.travel(NOON, tick=False):
        body = shown_to(subscribed(plan, pending_plan=smaller, pending_plan_effective_at=APRIL))
    assert list(body["pending_plan"]) == OBJECTS["SubscriptionPlan"]
    assert body["pending_plan"]["slug"] == "smaller"
    assert body["pending_plan_effective_at"] == "2026-04-10T12:00:00Z"


@pytest.mark.parametrize("status", ENUMS["UserSubscription", "status"])
def test_every_status_is_told_as_it_is(plan: SubscriptionPlan, status: str) -> None:
    body = shown_to(subscribed(plan, status=status))
    assert body["status"] == status
    assert body["plan"]["slug"] == plan.slug


def test_a_period_that_has_ended_is_not_shown_as_the_current_one(plan: SubscriptionPlan) -> None:
    with time_machine.travel(NOON, tick=False):
        user = subscribed(plan, stripe_subscription_id="sub_late")
    with time_machine.travel(datetime(2026, 4, 20, tzinfo=UTC), tick=False):
        body = shown_to(user)
    assert body["current_period_start"] == "2026-04-10T12:00:00Z"
    assert body["current_period_end"] == "2026-05-10T12:00:00Z"


def test_a_first_look_gives_the_default_plan(db: None, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {}
    user = make_user()
    body = shown_to(get_user_model().objects.get(pk=user.pk))
    assert (body["plan"]["slug"], body["plan"]["price_display"], body["status"]) == ("free", "Free", "active")
    assert UserSubscription.objects.filter(user=user).count() == 1
    assert shown_to(user)["id"] == body["id"]


def test_without_automatic_plans_there_is_none_to_show(settings: Any, signed_in: APIClient) -> None:
    settings.VIDEOQ_BILLING = {"AUTO_ASSIGN_DEFAULT_PLAN": False}
    UserSubscription.objects.all().delete()
    assert_refused(signed_in.get(SUBSCRIPTION), "no_subscription")
    assert_refused(signed_in.get(URLS["billing/usage"]), "no_usage")
    assert not UserSubscription.objects.exists()


def test_without_automatic_plans_an_existing_one_is_shown(settings: Any, plan: SubscriptionPlan) -> None:
    settings.VIDEOQ_BILLING = {"AUTO_ASSIGN_DEFAULT_PLAN": False}
    assert shown_to(subscribed(plan))["plan"]["slug"] == plan.slug


def test_the_number_of_queries_does_not_grow_with_what_there_is_to_show(
    plan: SubscriptionPlan, django_assert_num_queries: Any
) -> None:
    user = subscribed(plan, pending_plan=make_plan(), pending_plan_effective_at=APRIL)
    client = client_of(user)
    with django_assert_num_queries(3):  # session, user, subscription with both plans
        assert client.get(SUBSCRIPTION).status_code == 200
