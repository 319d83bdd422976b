"""Rows for tests, each valid by itself; pass what the test is about."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.types import Period


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda number: f"user{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")


class PlanFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SubscriptionPlan

    name = factory.Sequence(lambda number: f"Plan {number}")
    slug = factory.Sequence(lambda number: f"plan-{number}")
    video_limit = 5
    transcription_limit_minutes = 60


class PaymentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PaymentTransaction

    user = factory.SubFactory(UserFactory)
    stripe_object_id = factory.Sequence(lambda number: f"in_{number}")
    amount_cents = 1200
    currency = "USD"
    type = PaymentTransaction.Type.SUBSCRIPTION_PAYMENT
    status = PaymentTransaction.Status.SUCCEEDED


def subscribed(plan: SubscriptionPlan, user: Any = None, **fields: Any) -> Any:
    """Return a user whose only subscription is to `plan`, in a calendar month that has just begun."""
    user = user or UserFactory()
    now = timezone.now()
    period = Period(now, now).rolled_to(now, anchor=now, months=plan.months)
    values = {
        "plan": plan,
        "current_period_start": period.start,
        "current_period_end": period.end,
        "period_anchor": period.start,
        **fields,
    }
    UserSubscription.objects.update_or_create(user=user, defaults=values)
    return get_user_model().objects.get(pk=user.pk)
