from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from django_videoq_billing.management.moments import read_moment
from django_videoq_billing.management.tables import table
from django_videoq_billing.money import display_money
from django_videoq_billing.services.metrics import Lag, Metrics, metrics_of
from django_videoq_billing.types import Period

USUAL = timedelta(days=30)


class Command(BaseCommand):
    help = "Show the figures of the business and of the webhooks; docs/operations.md defines each. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        moment = "A day or a moment such as 2026-01-31T12:00+09:00; UTC unless it says otherwise"
        parser.add_argument("--since", metavar="WHEN", help=f"{moment} (30 days before --until).")
        parser.add_argument("--until", metavar="WHEN", help="The first moment that does not count (now).")
        parser.add_argument(
            "--format",
            choices=["text", "json", "csv"],
            default="text",
            help="json and csv have money in the currency's minor unit.",
        )

    def handle(self, *args: Any, since: str | None, until: str | None, **options: Any) -> None:
        now = timezone.now()
        metrics = metrics_of(_window(since, until, now), now)
        {"text": self._text, "json": self._json, "csv": self._csv}[options["format"]](metrics)

    def _text(self, metrics: Metrics) -> None:
        self.stdout.write(f"{metrics.since:%Y-%m-%d %H:%M} to {metrics.until:%Y-%m-%d %H:%M} UTC")
        for section in (_money(metrics), _people(metrics), _webhooks(metrics)):
            for line in section:
                self.stdout.write(line)

    def _json(self, metrics: Metrics) -> None:
        self.stdout.write(json.dumps(asdict(metrics), cls=DjangoJSONEncoder, indent=2))

    def _csv(self, metrics: Metrics) -> None:
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(["figure", "of", "value"])
        writer.writerows(_flat("", "", json.loads(json.dumps(asdict(metrics), cls=DjangoJSONEncoder))))


def _window(since: str | None, until: str | None, now: datetime) -> Period:
    end = now if until is None else read_moment("--until", until)
    try:
        start = end - USUAL if since is None else read_moment("--since", since)
    except OverflowError:
        raise CommandError(f"--until {until} is too early.") from None
    if start >= end:
        raise CommandError(
            f"--since ({start:%Y-%m-%dT%H:%MZ}) must lie before --until ({end:%Y-%m-%dT%H:%MZ})."
        )
    return Period(start, end)


def _flat(figure: str, of: str, value: Any) -> Iterator[tuple[str, str, object]]:
    """One line a figure: "recurring.mrr", of "USD". The items of a list go by their plan or currency."""
    if isinstance(value, list):
        for item in value:
            name = "plan" if "plan" in item else "currency"
            yield from _flat(figure, item.pop(name), item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{figure}.{name}" if figure else name, of, inner)
    else:
        yield figure, of, "" if value is None else value


def _money(metrics: Metrics) -> Iterator[str]:
    def shown(row: Any, *names: str) -> list[str]:
        return [display_money(getattr(row, name), row.currency, "en") for name in names]

    rows = [
        [row.currency, row.subscriptions, *shown(row, "mrr", "arr", "trial_mrr")] for row in metrics.recurring
    ]
    yield ""
    yield from table("Recurring, now", ["paying", "a month", "a year", "trials would add"], rows)
    names = ["payments", "refunds", "disputes", "net"]
    yield ""
    yield from table("Revenue", names, [[row.currency, *shown(row, *names)] for row in metrics.revenue])
    yield ""
    columns = ["invoices", "amount", "paid by now", "amount", "recovered %"]
    rows = [
        [
            row.currency,
            row.failed,
            *shown(row, "failed_amount"),
            row.recovered,
            *shown(row, "recovered_amount"),
            row.recovery_rate,
        ]
        for row in metrics.dunning
    ]
    yield from table("Failed payments", columns, rows)


def _people(metrics: Metrics) -> Iterator[str]:
    rows = [[row.plan, row.active, row.trialing, row.past_due, row.given, row.ended] for row in metrics.plans]
    yield ""
    yield from table("Plans, now", ["active", "trialing", "past due", "given", "ended"], rows)
    trials, churn = metrics.trials, metrics.churn
    yield ""
    for name, figure in (
        ("New customers", metrics.new_customers),
        ("Trials running now", trials.now),
        (
            "Trials that ended",
            f"{trials.ended}: {trials.converted} paid ({_percent(trials.conversion_rate)}), "
            f"{trials.lost} lost, {trials.undecided} undecided",
        ),
        ("Cancellations", f"{churn.ended} ended ({_percent(churn.rate)}), {churn.ending} ending"),
    ):
        yield f"{name:<20}{figure}"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate} %"


def _webhooks(metrics: Metrics) -> Iterator[str]:
    def row(name: str, lag: Lag) -> list[object]:
        return [name, lag.count, *(None if s is None else f"{s:.1f}" for s in (lag.p50, lag.p95, lag.max))]

    lags = metrics.webhooks
    yield ""
    yield from table(
        "Webhooks",
        ["events", "p50 s", "p95 s", "max s"],
        [row("from Stripe to here", lags.delivery), row("until processed", lags.processing)],
    )
    oldest = "" if lags.oldest_waiting is None else f", the oldest for {lags.oldest_waiting:.0f} s"
    yield f"{lags.waiting} waiting now{oldest}; {lags.failing} of them failed and will be tried again"
