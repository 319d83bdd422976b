"""Days, weeks or months: as many points as one can look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_skeleton
from django.utils.translation import get_language

from django_videoq_billing.money import babel_locale

DAILY, WEEKLY = 45, 400
Number = int | float | None


@dataclass(frozen=True, slots=True)
class Bucket:
    label: str
    days: tuple[date, ...]

    def last(self, read: Callable[[date], Number]) -> Number:
        """The state at the end: the last that is known."""
        return next((found for day in reversed(self.days) if (found := read(day)) is not None), None)

    def total(self, read: Callable[[date], Number]) -> Number:
        known = self._known(read)
        return sum(known) if known else None

    def largest(self, read: Callable[[date], Number]) -> Number:
        return max(self._known(read), default=None)

    def _known(self, read: Callable[[date], Number]) -> list[int | float]:
        return [found for day in self.days if (found := read(day)) is not None]


def buckets(days: Sequence[date]) -> list[Bucket]:
    """Cut the days into single ones, weeks from Monday on, or months; a part of one at either end stays a part."""
    if len(days) <= DAILY:
        begin, skeleton = _day, "MMMd"
    elif len(days) <= WEEKLY:
        begin, skeleton = _week, "MMMd"
    else:
        begin, skeleton = _month, "yMMM"
    groups: dict[date, list[date]] = {}
    for day in days:
        groups.setdefault(begin(day), []).append(day)
    locale = babel_locale(get_language() or "en")
    return [
        Bucket(format_skeleton(skeleton, mine[0], locale=locale), tuple(mine)) for mine in groups.values()
    ]


def _day(day: date) -> date:
    return day


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)
