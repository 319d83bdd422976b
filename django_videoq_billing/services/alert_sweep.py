"""Usage that has reached a threshold and that no commit could tell of: looked for in the rows, again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models, router
from django.db.models import F, Max, Min, Q, Sum
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import AccountInactive
from django_videoq_billing.models import UsageAlert, UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_alerts import highest_reached, notice
from django_videoq_billing.types import Metric

SPAN = 20_000
"""One statement reads the records of that many ids. Neither the counters nor a share of the limit have an index:
on PostgreSQL every upload would then have to write its entries, too (no HOT update any more)."""

BATCH = 1000

_FIELDS = {
    Metric.VIDEO: ("video_count", "video_limit"),
    Metric.TRANSCRIPTION: ("transcription_seconds", "transcription_limit_seconds"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands, by its own limit."""

    record: UsageRecord
    metric: Metric

    @property
    def used(self) -> int:
        return self.record.counters.used(self.metric)

    @property
    def limit(self) -> int | None:
        limit: int | None = getattr(self.record, _FIELDS[self.metric][1])
        return limit

    @property
    def whose(self) -> tuple[Any, ...]:
        return (self.record.user_id, str(self.metric), self.record.billing_period_start)


def find_reached(after: int = 0) -> Iterator[tuple[int, int]]:
    """Go through the running periods' records behind the id `after`, and notice what nobody has noticed yet.

    After each step yields the id it has reached, to go on from, and how many alerts it has made. Safe to stop
    anywhere and to run in several places at once; what a step needs does not grow with the number of users.
    """
    if not get_settings().WARNING_THRESHOLDS:
        return
    bounds = _records().aggregate(first=Min("pk"), last=Max("pk"))
    if bounds["first"] is None:
        return
    after = max(after, bounds["first"] - 1)
    while after < bounds["last"]:
        end = min(after + SPAN, bounds["last"])
        records = list(_reached(after, end)[:BATCH])
        made = sum(_notice(standing) for standing in _without_holds(_unsaid(records)))
        after = records[-1].pk if len(records) == BATCH else end
        yield after, made


def _records() -> models.QuerySet[UsageRecord]:
    return UsageRecord.objects.using(router.db_for_write(UsageRecord))


def _reached(after: int, end: int) -> models.QuerySet[UsageRecord]:
    lowest = get_settings().WARNING_THRESHOLDS[0]
    reached = Q()
    for used, limit in _FIELDS.values():
        reached |= Q(GreaterThanOrEqual(F(used) * 100, F(limit) * lowest), **{f"{limit}__gt": 0})
    rows = _records().filter(reached, pk__gt=after, pk__lte=end, billing_period_end__gt=timezone.now())
    return rows.order_by("pk")


def _unsaid(records: list[UsageRecord]) -> list[Standing]:
    """What stands at a threshold of which no alert tells: by one query for all."""
    alerts = UsageAlert.objects.using(router.db_for_write(UsageAlert)).filter(
        user_id__in={record.user_id for record in records},
        period_start__in={record.billing_period_start for record in records},
    )
    rows = alerts.order_by().values_list("user_id", "metric", "period_start", "threshold", "limit")
    said: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for *whose, threshold, limit in rows.iterator() if records else ():
        said.setdefault(tuple(whose), []).append((threshold, limit))
    standings = (Standing(record, metric) for record in records for metric in Metric)
    return [standing for standing in standings if _is_news(standing, said.get(standing.whose, ()))]


def _is_news(standing: Standing, said: Iterable[tuple[int, int]]) -> bool:
    reached, limit = highest_reached(standing.used, standing.limit), standing.limit
    if reached is None or limit is None:
        return False
    return not any(
        threshold == reached or (threshold > reached and limit_then >= limit)
        for threshold, limit_then in said
    )


def _without_holds(standings: list[Standing]) -> Iterator[tuple[Standing, int]]:
    """With what is counted for good: a hold may still be given back."""
    if not standings:
        return
    open_holds = UsageReservation.objects.using(router.db_for_write(UsageReservation)).held()
    mine = open_holds.filter(record_id__in={standing.record.pk for standing in standings}).order_by()
    sums = mine.values_list("record_id", "metric").annotate(total=Sum("amount"))
    held = {(record_id, metric): total for record_id, metric, total in sums}
    for standing in standings:
        used = standing.used - held.get((standing.record.pk, str(standing.metric)), 0)
        if highest_reached(used, standing.limit) is not None:
            yield standing, used


def _notice(found: tuple[Standing, int]) -> bool:
    """By the limit and the period of now: the record keeps those of when it was last counted on."""
    standing, used = found
    user = get_user_model()._default_manager.filter(pk=standing.record.user_id).first()
    if user is None:
        return False
    try:
        entitlement = entitlement_for(user)
    except AccountInactive:
        return False
    if entitlement.period.start != standing.record.billing_period_start:
        return False
    limit = entitlement.limit(standing.metric)
    return notice(user.pk, standing.metric, entitlement.period, used, limit) is not None
