"""Each chart with the table behind it. Colours go by role, which the style sheet knows in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from django_videoq_billing.admin.dashboard.buckets import Bucket, Number
from django_videoq_billing.models import DailyMoney, SubscriptionPlan
from django_videoq_billing.money import display_money, minor_unit_decimals
from django_videoq_billing.services.figures import Report
from django_videoq_billing.services.metrics.subscriptions import a_month

Text = str | Promise
PLANS = 7
"""So many plans have a colour of their own; those with the fewest users are added up."""
HAVE_IT = ("active", "trialing", "past_due", "given")


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    role: str
    values: list[Number]


@dataclass(frozen=True, slots=True)
class Chart:
    key: str
    title: str
    kind: str
    labels: list[str]
    series: list[Series]
    note: str = ""
    currency: str = ""
    unit: str = ""
    first: str = field(default_factory=lambda: _("From"))

    @property
    def is_empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)

    @property
    def data_id(self) -> str:
        return f"vqb-{self.key}-data"

    @property
    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """The table: a line for each label, newest first as the figures of today are looked for most."""
        for place in reversed(range(len(self.labels))):
            yield self.labels[place], [self._text(series.values[place]) for series in self.series]

    def _text(self, value: Number) -> str:
        if value is None:
            return "-"
        if self.currency:
            return display_money(int(value), self.currency, get_language() or "en")
        return number_format(value)

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "kind": self.kind,
            "labels": self.labels,
            "series": [
                {"name": series.name, "role": series.role, "values": series.values} for series in self.series
            ],
            "currency": self.currency,
            "decimals": minor_unit_decimals(self.currency) if self.currency else 0,
            "unit": self.unit,
        }


def charts(found: Report, currency: str, cut: list[Bucket], plans: list[SubscriptionPlan]) -> list[Chart]:
    labels = [bucket.label for bucket in cut]
    money = [*_recurring(found, currency, cut, labels), _failed(found, currency, cut, labels)]
    plan_chart, trial_chart = _plans(found, cut, labels, plans), _trials(found, cut, labels)
    mrr, movement, failed = money
    return [mrr, movement, plan_chart, trial_chart, _usage(found), failed, _webhooks(found, cut, labels)]


def _recurring(found: Report, currency: str, cut: list[Bucket], labels: list[str]) -> Iterator[Chart]:
    def mrr(day: date) -> Number:
        return found.recurring(day, currency, "mrr")

    def moved(name: str, sign: int) -> list[Number]:
        """Added up before it is rounded to a month's."""
        sums = [bucket.total(lambda day: found.a_year(day, currency, name)) for bucket in cut]
        return [None if value is None else sign * a_month(int(value)) for value in sums]

    sources = {found.source(day, currency) for day in found.all_days}
    note = _("Where nobody had looked yet: from payments.") if DailyMoney.Source.LEDGER in sources else ""
    level = Series(_("Recurring revenue"), "main", [bucket.last(mrr) for bucket in cut])
    yield Chart("mrr", _("Recurring revenue a month"), "line", labels, [level], note=note, currency=currency)
    yield Chart(
        "movement",
        _("Movement of recurring revenue"),
        "stacked",
        labels,
        [
            Series(_("New"), "new", moved("new", 1)),
            Series(_("Expansion"), "expansion", moved("expansion", 1)),
            Series(_("Contraction"), "contraction", moved("contraction", -1)),
            Series(_("Churn"), "churn", moved("churn", -1)),
        ],
        currency=currency,
    )


def _plans(found: Report, cut: list[Bucket], labels: list[str], plans: list[SubscriptionPlan]) -> Chart:
    def read(slug: str) -> Callable[[date], Number]:
        def users(day: date) -> Number:
            row = found.days.get(day)
            if row is None or (slug not in row.plans and not row.measured_at):
                return None
            counts = row.plans.get(slug, {})
            return sum(int(counts.get(name, 0)) for name in HAVE_IT)

        return users

    names = {plan.slug: plan.name for plan in plans}
    slugs = {slug for row in found.days.values() for slug in row.plans}
    order = [slug for slug in names if slug in slugs] + sorted(slugs - names.keys())
    values = {slug: [bucket.last(read(slug)) for bucket in cut] for slug in order}
    shown = [slug for slug in order if any(values[slug])]
    largest = sorted(shown, key=lambda slug: -max(value or 0 for value in values[slug]))[:PLANS]
    series = [
        Series(names.get(slug, slug), f"plan{largest_first}", values[slug])
        for largest_first, slug in enumerate(slug for slug in shown if slug in largest)
    ]
    rest = [values[slug] for slug in shown if slug not in largest]
    if rest:
        others = [sum(value or 0 for value in column) for column in zip(*rest, strict=True)]
        series.append(Series(_("Other plans"), "rest", list(others)))
    estimated = any(row.plans and not row.measured_at for row in found.days.values())
    note = (
        _("Where nobody had looked yet: from payments, so without free and given plans.") if estimated else ""
    )
    return Chart("plans", _("Users by plan"), "stacked", labels, series, note=note)


def _trials(found: Report, cut: list[Bucket], labels: list[str]) -> Chart:
    def read(*names: str) -> Callable[[date], Number]:
        """The first, less the others."""

        def count(day: date) -> Number:
            row = found.days.get(day)
            if row is None:
                return None
            first, *rest = (int(getattr(row, f"trials_{name}")) for name in names)
            return first - sum(rest)

        return count

    converted, lost = read("converted"), read("lost")
    undecided = read("ended", "converted", "lost")
    return Chart(
        "trials",
        _("Trials that ended"),
        "stacked",
        labels,
        [
            Series(_("Converted"), "good", [bucket.total(converted) for bucket in cut]),
            Series(_("Lost"), "bad", [bucket.total(lost) for bucket in cut]),
            Series(_("Undecided"), "rest", [bucket.total(undecided) for bucket in cut]),
        ],
    )


def _usage(found: Report) -> Chart:
    usage = found.latest.usage if found.latest else {}
    parts = {
        "unused": _("nothing"),
        "to_50": "< 50 %",
        "to_80": "50-80 %",
        "to_100": "80-100 %",
        "full": _("all of it"),
        "unlimited": _("no limit"),
    }
    names = {"video": (_("Videos"), "main"), "transcription": (_("Transcription"), "second")}
    series = [
        Series(name, role, [usage.get(metric, {}).get(part, 0) for part in parts])
        for metric, (name, role) in names.items()
    ]
    title, note = _("How much of their limit users have used"), _("At the last look; open holds count.")
    return Chart("usage", title, "bar", list(parts.values()), series, note=note, first=_("Of the limit"))


def _failed(found: Report, currency: str, cut: list[Bucket], labels: list[str]) -> Chart:
    def recovered(day: date) -> Number:
        return found.of_ledger(day, currency, "recovered_amount")

    def open_(day: date) -> Number:
        failed, back = found.of_ledger(day, currency, "failed_amount"), recovered(day)
        return None if failed is None or back is None else failed - back

    return Chart(
        "failed",
        _("Failed payments"),
        "stacked",
        labels,
        [
            Series(_("Paid by now"), "good", [bucket.total(recovered) for bucket in cut]),
            Series(_("Not paid"), "bad", [bucket.total(open_) for bucket in cut]),
        ],
        currency=currency,
    )


def _webhooks(found: Report, cut: list[Bucket], labels: list[str]) -> Chart:
    def read(name: str) -> Callable[[date], Number]:
        def seconds(day: date) -> Number:
            row = found.days.get(day)
            value = row.webhooks.get(name, {}).get("p95") if row is not None else None
            return None if value is None else round(float(value), 1)

        return seconds

    return Chart(
        "webhooks",
        _("Webhook lag in seconds"),
        "line",
        labels,
        [
            Series(_("From Stripe to here"), "main", [bucket.largest(read("delivery")) for bucket in cut]),
            Series(_("Until processed"), "second", [bucket.largest(read("processing")) for bucket in cut]),
        ],
        note=_("The 95th percentile of each day; of a week or a month, its worst day."),
        unit="s",
    )
