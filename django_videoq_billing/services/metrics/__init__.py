"""The figures of the business and of the inbox, each defined in docs/operations.md.

Computed by the database: a fixed number of queries, whose answers are as long as there are plans and currencies.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from django_videoq_billing.services.metrics import ledger, subscriptions, webhooks
from django_videoq_billing.services.metrics.figures import (
    Churn,
    Dunning,
    Lag,
    Metrics,
    PlanCount,
    Recurring,
    Revenue,
    Trials,
    WebhookLag,
)
from django_videoq_billing.types import Period

__all__ = [
    "Churn",
    "Dunning",
    "Lag",
    "Metrics",
    "PlanCount",
    "Recurring",
    "Revenue",
    "Trials",
    "WebhookLag",
    "metrics_of",
]


def metrics_of(window: Period, now: datetime | None = None) -> Metrics:
    """Return the figures of the half-open window, and those of `now`. Writes nothing."""
    now = now or timezone.now()
    plans = subscriptions.plan_counts(now)
    trials, churn = subscriptions.trials_and_churn(window, now, sum(plan.paying for plan in plans))
    revenue, dunning = ledger.revenue_and_dunning(window)
    return Metrics(
        as_of=now,
        since=window.start,
        until=window.end,
        recurring=subscriptions.recurring(plans),
        plans=plans,
        trials=trials,
        churn=churn,
        new_customers=ledger.new_customers(window),
        revenue=revenue,
        dunning=dunning,
        webhooks=webhooks.lag(window, now),
    )
