"""What the dashboard reads: rows of days, in two queries however many users there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django_videoq_billing.models import DailyFigures, DailyMoney
from django_videoq_billing.services.metrics.subscriptions import a_month

RECURRING = ("mrr", "subscriptions")
MOVEMENT = ("new", "expansion", "contraction", "churn")
OF_LEDGER = (
    *("payments", "refunds", "disputes"),
    *("failed", "failed_amount", "recovered", "recovered_amount"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """Both ends count. A day without a row of a currency is 0 there if it was measured, else not known."""

    since: date
    until: date
    days: dict[date, DailyFigures]
    money: dict[tuple[date, str], DailyMoney]

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for _, currency in self.money})

    @property
    def latest(self) -> DailyFigures | None:
        """The last day on which somebody looked."""
        measured = [day for day, row in self.days.items() if row.measured_at]
        return self.days[max(measured)] if measured else None

    @property
    def all_days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]

    def recurring(self, day: date, currency: str, name: str) -> int | None:
        """Return one of RECURRING or MOVEMENT; money as a month's. None where nobody knows."""
        found = self.a_year(day, currency, "arr" if name == "mrr" else name)
        return found if found is None or name == "subscriptions" else a_month(found)

    def a_year(self, day: date, currency: str, name: str) -> int | None:
        row = self.money.get((day, currency))
        if row is None or row.source == DailyMoney.Source.UNKNOWN:
            figures = self.days.get(day)
            return 0 if figures is not None and figures.measured_at else None
        return int(getattr(row, name))

    def of_ledger(self, day: date, currency: str, name: str) -> int | None:
        """Return one of OF_LEDGER; None for a day that is not written yet."""
        row = self.money.get((day, currency))
        if row is None:
            return 0 if day in self.days else None
        return int(getattr(row, name))

    def source(self, day: date, currency: str) -> str:
        row = self.money.get((day, currency))
        if row is None:
            figures = self.days.get(day)
            measured = figures is not None and figures.measured_at
            return DailyMoney.Source.MEASURED if measured else DailyMoney.Source.UNKNOWN
        return row.source

    def main_currency(self) -> str:
        """The one with the most subscriptions at the end; empty where there is no money at all."""
        last: dict[str, int] = {}
        for (_, currency), row in sorted(self.money.items(), key=lambda item: item[0]):
            last[currency] = row.subscriptions or last.get(currency, 0)
        return max(last, key=lambda currency: last[currency], default="")


def report(since: date, until: date) -> Report:
    """Return the days from `since` to `until`, both included, as the job has kept them."""
    days = DailyFigures.objects.filter(date__gte=since, date__lte=until)
    money = DailyMoney.objects.filter(date__gte=since, date__lte=until)
    return Report(
        since, until, {row.date: row for row in days}, {(row.date, row.currency): row for row in money}
    )


def flat(found: Report) -> Iterator[tuple[date, str, str, Any]]:
    """Yield every figure of every day: the day, its name, of what, and the value; None where nobody knows."""
    money: tuple[tuple[tuple[str, ...], Callable[[date, str, str], int | None], str], ...] = (
        (RECURRING, found.recurring, "recurring"),
        (MOVEMENT, found.recurring, "movement"),
        (OF_LEDGER, found.of_ledger, "ledger"),
    )
    for day in found.all_days:
        for currency in found.currencies:
            yield day, "recurring.source", currency, found.source(day, currency)
            for names, read, group in money:
                for name in names:
                    yield day, f"{group}.{name}", currency, read(day, currency, name)
        row = found.days.get(day)
        if row is not None:
            yield from _of_day(day, row)


def _of_day(day: date, row: DailyFigures) -> Iterator[tuple[date, str, str, Any]]:
    for group, by in (("plans", row.plans), ("usage", row.usage)):
        for of, counts in by.items():
            yield from ((day, f"{group}.{name}", of, count) for name, count in counts.items())
    for name in ("running", "ended", "converted", "lost"):
        yield day, f"trials.{name}", "", getattr(row, f"trials_{name}")
    for name, value in row.webhooks.items():
        inner = (
            {f".{key}": seconds for key, seconds in value.items()} if isinstance(value, dict) else {"": value}
        )
        yield from ((day, f"webhooks.{name}{key}", "", seconds) for key, seconds in inner.items())
