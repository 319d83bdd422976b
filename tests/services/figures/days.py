"""What happens on a site, and what its days say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from django_videoq_billing.models import (
    DailyMoney,
    SubscriptionPlan,
    UserSubscription,
)
from tests.factories import subscribed

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOVES = ("arr", "new", "expansion", "contraction", "churn")
_ids = count(1)


def pays(plan: SubscriptionPlan, user: User | None = None, **fields: Any) -> User:
    return subscribed(plan, user, **{"stripe_subscription_id": f"sub_{next(_ids)}", **fields})


def money(day: datetime, currency: str = "USD") -> dict[str, Any]:
    row = DailyMoney.objects.get(date=day.date(), currency=currency)
    return {name: getattr(row, name) for name in MOVES if getattr(row, name)}


def interrupted(*args: Any, **options: Any) -> None:
    raise ConnectionError


def ends(user: User) -> None:
    UserSubscription.objects.filter(user=user).update(status="cancelled")
