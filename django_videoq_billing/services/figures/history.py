"""Recurring revenue of days on which nobody looked, as far as payments tell it.

A payment for a plan runs for the plan's period. The next one follows on, also when it came late by the days of grace;
else the subscription ended with the period, or when its row says so. Amounts are the plans' present list prices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from dateutil.relativedelta import relativedelta

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services.figures.recurring import Movement, book
from django_videoq_billing.services.metrics import subscriptions

Type = PaymentTransaction.Type

LOOK_BACK = relativedelta(months=13)
"""A yearly payment carries its day this far, with some grace."""


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody pays for a plan from one day up to another, which does not count any more."""

    start: date
    end: date
    plan: str
    currency: str
    a_year: int
    months: int


@dataclass(slots=True)
class Day:
    """The state at the end of a day, and its movement, by currency; `plans` by slug."""

    money: dict[str, Movement] = field(default_factory=dict)
    plans: dict[str, int] = field(default_factory=dict)


def days(since: date, until: date, now: datetime) -> Iterator[tuple[date, Day]]:
    """Yield every day of the half-open range. One query, read as a stream, by user."""
    first = since - LOOK_BACK
    changes: dict[date, Day] = defaultdict(Day)
    levels: dict[date, Counter[tuple[str, str, int]]] = defaultdict(Counter)
    for spans in _by_user(first, now):
        _add(spans, changes, levels)
    running: Counter[tuple[str, str, int]] = Counter()
    for day in _each(min(first, *levels) if levels else since, until):
        running.update(levels.get(day, ()))
        if day >= since:
            yield day, _state(running, changes.get(day, Day()))


def _each(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=number) for number in range((end - start).days))


def _state(running: Counter[tuple[str, str, int]], day: Day) -> Day:
    for (plan, currency, a_year), count in running.items():
        if count:
            money = day.money.setdefault(currency, Movement())
            money.subscriptions += count
            money.arr += count * a_year
            day.plans[plan] = day.plans.get(plan, 0) + count
    return day


def _add(
    spans: list[Span], changes: dict[date, Day], levels: dict[date, Counter[tuple[str, str, int]]]
) -> None:
    nothing = ("", 0)
    for before, span, after in zip([None, *spans], spans, [*spans[1:], None], strict=False):
        follows_on = before is not None and before.end == span.start
        was = (before.currency, before.a_year) if before is not None and follows_on else nothing
        book(changes[span.start].money, was, (span.currency, span.a_year))
        if after is None or after.start != span.end:
            book(changes[span.end].money, (span.currency, span.a_year), nothing)
        kind = (span.plan, span.currency, span.a_year)
        levels[span.start][kind] += 1
        levels[span.end][kind] -= 1


def _by_user(first: date, now: datetime) -> Iterator[list[Span]]:
    grace = timedelta(days=get_settings().GRACE_PERIOD_DAYS)
    lines = (
        PaymentTransaction.objects.filter(
            type__in=(Type.SUBSCRIPTION_PAYMENT, Type.PRORATION),
            status=PaymentTransaction.Status.SUCCEEDED,
            created_at__gte=datetime.combine(first, time.min, UTC),
            user__isnull=False,
            plan__price_cents__gt=0,
        )
        .order_by("user_id", "created_at", "pk")
        .values_list(
            "user_id",
            "created_at",
            "type",
            "plan__slug",
            "plan__currency",
            "plan__price_cents",
            "plan__interval",
        )
    )
    today = now.astimezone(UTC).date()
    paying = set(UserSubscription.objects.filter(subscriptions.paying(now)).values_list("user_id", flat=True))
    ended = dict(_ended())
    for user_id, mine in groupby(lines.iterator(), key=lambda line: line[0]):
        spans = _spans((line[1:] for line in mine), grace)
        last = spans[-1]
        end = today + timedelta(days=1) if user_id in paying else min(last.end, today)
        if user_id in ended:
            end = min(end, ended[user_id])
        spans[-1] = replace(last, end=max(end, last.start + timedelta(days=1)))
        yield spans


def _ended() -> Iterator[tuple[Any, date]]:
    """The day of the end, of those whose row tells it: `cancelled_at` is that of the decision."""
    rows = UserSubscription.objects.filter(
        status=UserSubscription.Status.CANCELLED, cancelled_at__isnull=False
    )
    names = ("user_id", "cancel_at_period_end", "cancelled_at", "current_period_end")
    for user_id, with_period, decided, period_end in rows.values_list(*names):
        yield user_id, (period_end if with_period else decided).astimezone(UTC).date()


def _spans(lines: Iterable[tuple[Any, ...]], grace: timedelta) -> list[Span]:
    spans: list[Span] = []
    for at, kind, plan, currency, price, interval in lines:
        months = 12 if interval == SubscriptionPlan.Interval.YEAR else 1
        start = at.astimezone(UTC).date()
        end = start + relativedelta(months=months)
        if spans and start <= spans[-1].end + grace:
            last = spans[-1]
            if kind == Type.PRORATION and last.months == months:  # the period goes on
                end = max(last.end, start + timedelta(days=1))
            spans[-1] = replace(last, end=start)
            if start == last.start:
                spans.pop()
        spans.append(Span(start, end, plan, currency, price * (12 // months), months))
    return spans
