"""Rows for tests, each valid by itself; pass what the test is about."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.testing.factories import make_plan as make_plan
from django_videoq_billing.types import Period

_numbers = count(1)


def make_user(**fields: Any) -> User:
    number = next(_numbers)
    return User.objects.create(
        **{"username": f"user{number}", "email": f"user{number}@example.com", **fields}
    )


def make_payment(**fields: Any) -> PaymentTransaction:
    """A paid invoice of 12.00 USD."""
    values = {
        "stripe_object_id": f"in_{next(_numbers)}",
        "amount_cents": 1200,
        "currency": "USD",
        "type": PaymentTransaction.Type.SUBSCRIPTION_PAYMENT,
        "status": PaymentTransaction.Status.SUCCEEDED,
        **fields,
    }
    return PaymentTransaction.objects.create(**{"user": values.get("user") or make_user(), **values})


def subscribed(plan: SubscriptionPlan, user: User | None = None, **fields: Any) -> User:
    """Return a user whose only subscription is to `plan`, in a period that has just begun."""
    user = user or make_user()
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
    return User.objects.get(pk=user.pk)
