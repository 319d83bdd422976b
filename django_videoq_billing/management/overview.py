"""What an operator asks about one user, as plain values: for the terminal and for --json. Writes no plan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Count, Min, Sum

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import UsageRecord, UsageReservation, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from django_videoq_billing.types import Metric, UsageReport


@dataclass(frozen=True, slots=True)
class MetricUsage:
    """Transcription in seconds. A limit of None means unlimited."""

    used: int
    limit: int | None
    percentage: float | None
    overage: int


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    start: datetime
    end: datetime
    video: MetricUsage
    transcription: MetricUsage

    @classmethod
    def of(cls, report: UsageReport) -> PeriodUsage:
        counters = report.counters
        video = MetricUsage(
            counters.video_count, report.video_limit, report.video_usage_percentage, report.video_overage
        )
        transcription = MetricUsage(
            counters.transcription_seconds,
            report.transcription_limit_seconds,
            report.transcription_usage_percentage,
            report.transcription_overage_seconds,
        )
        return cls(report.period.start, report.period.end, video, transcription)


@dataclass(frozen=True, slots=True)
class OpenHolds:
    metric: str
    count: int
    amount: int
    first_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """Without a subscription `plan`, `effective_plan` and `status` are None; so is `effective_plan` of an
    account that was switched off, since it may use nothing."""

    user: str
    user_id: str
    is_active: bool
    plan: str | None
    effective_plan: str | None
    status: str | None
    cancel_at_period_end: bool
    pending_plan: str | None
    current_period: PeriodUsage | None
    open_holds: list[OpenHolds]
    past_periods: list[PeriodUsage]


def overview_of(user: AbstractBaseUser, history: int) -> Overview:
    """Look without touching: a user who has no subscription yet is not given one by being looked at."""
    with suppress(UsageUnavailable):  # then the database is what there is to show
        flush_usage()
    subscriptions = UserSubscription.objects.select_related("plan", "pending_plan")
    subscription = subscriptions.filter(user_id=user.pk).first()
    effective_plan = None
    if subscription and user.is_active:
        effective_plan = entitlement_for(user).plan_slug
    current = _current_period(user, subscription)
    records = UsageRecord.objects.filter(user_id=user.pk)
    if current:
        records = records.exclude(billing_period_start=current.start)
    pending = subscription.pending_plan if subscription else None
    return Overview(
        user=user.get_username(),
        user_id=str(user.pk),
        is_active=user.is_active,
        plan=subscription.plan.slug if subscription else None,
        effective_plan=effective_plan,
        status=subscription.status if subscription else None,
        cancel_at_period_end=bool(subscription and subscription.cancel_at_period_end),
        pending_plan=pending.slug if pending else None,
        current_period=current,
        open_holds=_open_holds(user),
        past_periods=[PeriodUsage.of(record.report) for record in records[:history]],
    )


def _current_period(user: AbstractBaseUser, subscription: UserSubscription | None) -> PeriodUsage | None:
    if subscription is None:
        return None
    if user.is_active:
        return PeriodUsage.of(UsageTracker.report(user))
    record = UsageRecord.objects.filter(
        user_id=user.pk, billing_period_start=subscription.current_period_start
    ).first()
    return PeriodUsage.of(record.report) if record else None


def _open_holds(user: AbstractBaseUser) -> list[OpenHolds]:
    rows = (
        UsageReservation.objects.held()
        .filter(user_id=user.pk)
        .order_by("metric")
        .values_list("metric")
        .annotate(Count("pk"), Sum("amount"), Min("expires_at"))
    )
    return [OpenHolds(str(Metric(metric)), *values) for metric, *values in rows]
