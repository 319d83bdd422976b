"""What the figures are made of. Money is in the currency's minor unit, a rate in percent, a lag in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django_videoq_billing.models import SubscriptionPlan

Interval = SubscriptionPlan.Interval


@dataclass(frozen=True, slots=True)
class PlanCount:
    """How many users a plan has now, each counted once."""

    plan: str
    active: int
    trialing: int
    past_due: int
    given: int
    ended: int
    currency: str
    price_cents: int
    interval: str

    @property
    def paying(self) -> int:
        return self.active + self.past_due if self.price_cents else 0

    def a_year(self, subscriptions: int) -> int:
        return subscriptions * self.price_cents * (1 if self.interval == Interval.YEAR else 12)


@dataclass(frozen=True, slots=True)
class Recurring:
    """`mrr` is `arr` / 12, rounded once for the whole sum; `trial_mrr` is what the trials of now would add."""

    currency: str
    subscriptions: int
    mrr: int
    arr: int
    trial_mrr: int


@dataclass(frozen=True, slots=True)
class Trials:
    """Running now, and what became of those that ended in the window."""

    now: int
    ended: int
    converted: int
    lost: int
    undecided: int
    conversion_rate: float | None


@dataclass(frozen=True, slots=True)
class Churn:
    """Cancellations decided in the window that nobody has taken back. No rate for a window of the past."""

    ended: int
    ending: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Revenue:
    """Refunds and disputes are negative; `net` is the sum of the three."""

    currency: str
    payments: int
    refunds: int
    disputes: int
    net: int


@dataclass(frozen=True, slots=True)
class Dunning:
    """Invoices whose payment failed in the window, and those of them that are paid by now."""

    currency: str
    failed: int
    failed_amount: int
    recovered: int
    recovered_amount: int
    recovery_rate: float | None


@dataclass(frozen=True, slots=True)
class Lag:
    count: int
    p50: float | None
    p95: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class WebhookLag:
    """`delivery` is Stripe's and the network's, `processing` is ours; `waiting` is of now."""

    delivery: Lag
    processing: Lag
    waiting: int
    failing: int
    oldest_waiting: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    as_of: datetime
    since: datetime
    until: datetime
    recurring: list[Recurring]
    plans: list[PlanCount]
    trials: Trials
    churn: Churn
    new_customers: int
    revenue: list[Revenue]
    dunning: list[Dunning]
    webhooks: WebhookLag


def percent(part: int, whole: int) -> float | None:
    return round(part * 100 / whole, 1) if whole else None
