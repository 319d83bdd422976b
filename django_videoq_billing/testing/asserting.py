"""One assertion about a user's quota that says in one message everything that differs."""

from __future__ import annotations

from types import EllipsisType

from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker, read_metric
from django_videoq_billing.types import Metric


def assert_quota(
    user: AbstractBaseUser,
    metric: Metric | str,
    *,
    used: int | None,
    limit: int | EllipsisType | None,
    allowed: bool | None,
) -> None:
    """Raises AssertionError. A limit of None is none at all; `...` stands for one that is not looked at."""
    metric = read_metric(metric)
    wrong = []
    if used is not None and (counted := UsageTracker.report(user).counters.used(metric)) != used:
        wrong.append(f"used {counted}, not {used}")
    if limit is not ... and (held := entitlement_for(user).limit(metric)) != limit:
        wrong.append(f"limit {held}, not {limit}")
    if allowed is not None:
        passes, reason = UsageTracker.can_use(user, metric)
        if passes and not allowed:
            wrong.append("one more is let through")
        if allowed and not passes:
            wrong.append(f"one more is refused: {reason}")
    if wrong:
        raise AssertionError(f"{metric.value} of {user}: {'; '.join(wrong)}")
