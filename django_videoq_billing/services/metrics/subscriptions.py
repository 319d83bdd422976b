from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.metrics.figures import Churn, PlanCount, Recurring, Trials, percent
from django_videoq_billing.services.metrics.ledger import PAYMENTS
from django_videoq_billing.types import Period

Status = UserSubscription.Status

_LOST = (Status.CANCELLED, Status.INCOMPLETE_EXPIRED, Status.UNPAID, Status.PAUSED)


def _over(now: datetime, to: str = "") -> Q:
    return Q(**{f"{to}cancel_at_period_end": True, f"{to}current_period_end__lte": now})


def paying(now: datetime) -> Q:
    """The subscriptions that recurring revenue is made of: what `PlanCount.paying` counts."""
    at_stripe = Q(status=Status.ACTIVE, stripe_subscription_id__gt="")
    return (at_stripe | Q(status=Status.PAST_DUE)) & ~_over(now) & Q(plan__price_cents__gt=0)


def plan_counts(now: datetime) -> list[PlanCount]:
    """Every plan in the order of the price list, those that nobody has, too."""
    at_stripe = Q(subscriptions__stripe_subscription_id__gt="")
    over = _over(now, "subscriptions__")

    def count(condition: Q) -> Count:
        return Count("subscriptions", filter=condition)

    active, trialing, past_due = (
        Q(subscriptions__status=status) & ~over
        for status in (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE)
    )
    running = Q(subscriptions__status__in=(Status.ACTIVE, Status.TRIALING, Status.PAST_DUE)) & ~over
    rows = (
        SubscriptionPlan.objects.order_by("sort_order", "pk")
        .values("currency", "price_cents", "interval", plan=F("slug"))
        .annotate(
            active=count(active & at_stripe),
            given=count(active & ~at_stripe),
            trialing=count(trialing),
            past_due=count(past_due),
            ended=count(~running),
        )
    )
    return [PlanCount(**row) for row in rows]


def recurring(plans: list[PlanCount]) -> list[Recurring]:
    """Sum by currency; twelfths of yearly prices are added up before they are rounded."""
    found = []
    for currency in sorted({plan.currency for plan in plans if plan.price_cents}):
        mine = [plan for plan in plans if plan.currency == currency and plan.price_cents]
        arr = sum(plan.a_year(plan.paying) for plan in mine)
        trials = sum(plan.a_year(plan.trialing) for plan in mine)
        count = sum(plan.paying for plan in mine)
        found.append(Recurring(currency, count, a_month(arr), arr, a_month(trials)))
    return found


def a_month(a_year: int) -> int:
    """Return the twelfth, rounded half up."""
    return (a_year + 6) // 12


def _with_conversion() -> QuerySet[UserSubscription]:
    paid_after = PaymentTransaction.objects.filter(
        user_id=OuterRef("user_id"),
        type__in=PAYMENTS,
        status=PaymentTransaction.Status.SUCCEEDED,
        created_at__gte=OuterRef("trial_end"),
    )
    return UserSubscription.objects.annotate(converted=Exists(paid_after))


def _tried(window: Period, now: datetime) -> Q:
    return Q(trial_end__gte=window.start, trial_end__lt=window.end, trial_end__lte=now)


def _trials(tried: Q, now: datetime) -> dict[str, Count]:
    return {
        "tried": Count("pk", filter=tried),
        "bought": Count("pk", filter=tried & Q(converted=True)),
        "lost": Count("pk", filter=tried & Q(converted=False) & (Q(status__in=_LOST) | _over(now))),
    }


def trials_by_day(window: Period, now: datetime) -> dict[date, tuple[int, int, int]]:
    """Return how many trials ended, were converted and were lost, by the day (UTC) of their end; one query."""
    tried = _tried(window, now)
    rows: Any = (
        _with_conversion()
        .filter(tried)
        .values(day=TruncDate("trial_end", tzinfo=UTC))
        .annotate(**_trials(tried, now))
        .order_by()
    )
    return {row["day"]: (row["tried"], row["bought"], row["lost"]) for row in rows}


def trials_and_churn(window: Period, now: datetime, paying: int) -> tuple[Trials, Churn]:
    """One look at the subscriptions; `paying` is how many pay now."""
    left = Q(cancelled_at__gte=window.start, cancelled_at__lt=window.end)
    gone = Q(status=Status.CANCELLED) | _over(now)
    leaving = Q(cancel_at_period_end=True, current_period_end__gt=now) & ~Q(status=Status.CANCELLED)
    counts = _with_conversion().aggregate(
        running=Count("pk", filter=Q(status=Status.TRIALING) & ~_over(now)),
        **_trials(_tried(window, now), now),
        gone=Count("pk", filter=left & gone),
        leaving=Count("pk", filter=left & leaving),
    )
    tried_count, bought, lost = counts["tried"], counts["bought"], counts["lost"]
    trials = Trials(
        now=counts["running"],
        ended=tried_count,
        converted=bought,
        lost=lost,
        undecided=tried_count - bought - lost,
        conversion_rate=percent(bought, tried_count),
    )
    rate = percent(counts["gone"], paying + counts["gone"]) if window.end >= now else None
    return trials, Churn(ended=counts["gone"], ending=counts["leaving"], rate=rate)
