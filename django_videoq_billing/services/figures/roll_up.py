"""Writing the days. What is only true now is kept at each look; what rows still tell is read anew while it may change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from django_videoq_billing.models import DailyFigures, DailyMoney
from django_videoq_billing.models.upserts import upsert
from django_videoq_billing.services.figures import history, recurring
from django_videoq_billing.services.figures.usage import usage_distribution
from django_videoq_billing.services.metrics import Dunning, Revenue, ledger, subscriptions, webhooks
from django_videoq_billing.types import Period

SETTLING = timedelta(days=45)
"""A failed payment may be recovered, and a trial converted, so long after its day; later ones want a rebuild."""

FIRST = timedelta(days=365)
"""The first look of all fills in so much of what was before."""

Source = DailyMoney.Source
_RECURRING = tuple(recurring.Movement.__slots__)
_LEDGER = ("payments", "refunds", "disputes", "failed", "failed_amount", "recovered", "recovered_amount")


def roll_up(now: datetime) -> int:
    """Write today, the days that were missed since the last look, and those that may still change; return how many.

    Safe to repeat and to stop anywhere. Not to be run twice at once: the job's lease sees to it.
    """
    today = now.astimezone(UTC).date()
    last = _last_measured()
    if last is None:
        since = today - FIRST
        _fill(since, today, now, moving=True)
    else:
        since = min(today - SETTLING, last)
        _fill(last + timedelta(days=1), today, now, moving=False)
    days = _derive(since, now)
    _measure(now, today, last)  # last of all: a run that is cut short is repeated as a whole
    return days


def rebuild(since: date, now: datetime) -> int:
    """Write anew what rows tell of the days from `since` on; return how many. What was measured stays."""
    today = now.astimezone(UTC).date()
    measured = DailyFigures.objects.filter(measured_at__isnull=False).order_by("date")
    first = measured.values_list("date", flat=True).first() or today + timedelta(days=1)
    _fill(since, min(first, today + timedelta(days=1)), now, moving=True)
    _fill(max(first, since), today, now, moving=False)
    return _derive(since, now, anew=True)


def _last_measured() -> date | None:
    measured = DailyFigures.objects.filter(measured_at__isnull=False).order_by("-date")
    return measured.values_list("date", flat=True).first()


@transaction.atomic
def _measure(now: datetime, today: date, last: date | None) -> None:
    """Keep what is only true now. The first look of all finds no movement: what was before nobody knows."""
    if last != today:
        recurring.open_day()
    recurring.look(now)
    if last is None:
        recurring.open_day()
    found = recurring.movements()
    money = DailyMoney.objects.filter(date=today)
    money.exclude(currency__in=found).update(**asdict(recurring.Movement()))  # taken back since the last look
    _write(
        [
            DailyMoney(date=today, currency=currency, source=Source.MEASURED, **asdict(movement))
            for currency, movement in found.items()
        ],
        ["source", *_RECURRING],
    )
    plans = subscriptions.plan_counts(now)
    lag = asdict(webhooks.lag(_day(today), now))
    row = {
        "measured_at": now,
        "plans": {plan.plan: _counts(plan) for plan in plans},
        "usage": usage_distribution(now),
        "trials_running": sum(plan.trialing for plan in plans),
        "webhooks": lag,
    }
    DailyFigures.objects.update_or_create(date=today, defaults=row)


def _counts(plan: Any) -> dict[str, int]:
    counts = {name: getattr(plan, name) for name in ("active", "trialing", "past_due", "given", "ended")}
    return {name: count for name, count in counts.items() if count}


def _fill(since: date, until: date, now: datetime, *, moving: bool) -> None:
    """Fill in recurring revenue from payments where nobody looked.

    Without `moving`, the days lie between looks: their movement is found by the look after them.
    """
    if since >= until:
        return
    kept = set(
        DailyFigures.objects.filter(date__gte=since, date__lt=until, measured_at__isnull=False).values_list(
            "date", flat=True
        )
    )
    if len(kept) == (until - since).days:
        return
    money, figures = [], []
    for day, found in history.days(since, until, now):
        if day in kept:
            continue
        plans = {plan: {"active": count} for plan, count in found.plans.items()}
        figures.append(DailyFigures(date=day, plans=plans))
        for currency, movement in found.money.items():
            state = {"subscriptions": movement.subscriptions, "arr": movement.arr}
            values = asdict(movement) if moving else state
            money.append(DailyMoney(date=day, currency=currency, source=Source.LEDGER, **values))
    with transaction.atomic():
        DailyMoney.objects.filter(date__gte=since, date__lt=until).exclude(date__in=kept).delete()
        _write(money, ["source", *_RECURRING])
        _write_days(figures, ["plans"])


def _derive(since: date, now: datetime, *, anew: bool = False) -> int:
    """Write what payments, subscriptions and events tell of each day from `since` to today."""
    today = now.astimezone(UTC).date()
    window = Period(_day(since).start, _day(today).end)
    trials = subscriptions.trials_by_day(window, now)
    known = dict(DailyFigures.objects.filter(date__gte=since).values_list("date", "webhooks"))
    figures = []
    for number in range((today - since).days + 1):
        day = since + timedelta(days=number)
        ended, converted, lost = trials.get(day, (0, 0, 0))
        lag = known.get(day) or {}
        if anew or not lag or day >= today - timedelta(days=1):
            lag = _lag(day, now, lag)
        figures.append(
            DailyFigures(
                date=day, trials_ended=ended, trials_converted=converted, trials_lost=lost, webhooks=lag
            )
        )
    money = [_of_ledger(*found) for found in ledger.by_day(window)]
    with transaction.atomic():
        _write_days(figures, ["trials_ended", "trials_converted", "trials_lost", "webhooks"])
        _write(money, list(_LEDGER))
    return len(figures)


def _of_ledger(day: date, revenue: Revenue, dunning: Dunning) -> DailyMoney:
    values = {**asdict(revenue), **asdict(dunning)}
    return DailyMoney(date=day, currency=revenue.currency, **{name: values[name] for name in _LEDGER})


def _lag(day: date, now: datetime, before: dict[str, Any]) -> dict[str, Any]:
    """The lag of the day's events; what waited is of the day's own look."""
    lag = asdict(webhooks.lag(_day(day), now))
    return {**before, "delivery": lag["delivery"], "processing": lag["processing"]}


def _day(day: date) -> Period:
    start = datetime.combine(day, time.min, UTC)
    return Period(start, start + timedelta(days=1))


def _write(money: list[DailyMoney], fields: list[str]) -> None:
    upsert(DailyMoney.objects.all(), money, ["date", "currency"], fields)


def _write_days(figures: list[DailyFigures], fields: list[str]) -> None:
    upsert(DailyFigures.objects.all(), figures, ["date"], fields)
