"""Usage that has reached a threshold and that no commit could tell of: looked for in the rows, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.auth import get_user_model
from django.db import models, router
from django.db.models import Case, Exists, ExpressionWrapper, F, Max, Min, OuterRef, Q, Sum, Value, When
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

BATCH = 200
"""As many records with news are brought here at once."""

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
        records = list(_unsaid(after, end)[:BATCH])
        made = sum(_notice(standing, used) for standing, used in _without_holds(records))
        after = records[-1].pk if len(records) == BATCH else end
        yield after, made


def _records() -> models.QuerySet[UsageRecord]:
    return UsageRecord.objects.using(router.db_for_write(UsageRecord))


def _unsaid(after: int, end: int) -> models.QuerySet[UsageRecord]:
    """Records that stand at a threshold of which no alert tells, with `video_news` and `transcription_news`.

    It is `usage_alerts.notice` said in SQL, so that who was told long ago costs neither a row nor a query here.
    """
    running = _records().filter(pk__gt=after, pk__lte=end, billing_period_end__gt=timezone.now())
    found = running.alias(**{f"{metric}_highest": _highest(metric) for metric in Metric})
    news = {f"{metric}_news": ExpressionWrapper(_news(metric), models.BooleanField()) for metric in Metric}
    wanted = reduce(or_, (Q(**{name: True}) for name in news))
    return found.annotate(**news).filter(wanted).order_by("pk")


def _highest(metric: Metric) -> Case:
    falling = reversed(get_settings().WARNING_THRESHOLDS)
    reached = (When(_reaches(metric, threshold), then=Value(threshold)) for threshold in falling)
    return Case(*reached, output_field=models.IntegerField())


def _reaches(metric: Metric, threshold: int) -> GreaterThanOrEqual:
    used, limit = _FIELDS[metric]
    return GreaterThanOrEqual(F(used) * 100, F(limit) * threshold)


def _news(metric: Metric) -> Q:
    alerts = UsageAlert.objects.using(router.db_for_write(UsageAlert)).filter(
        user_id=OuterRef("user_id"), metric=metric, period_start=OuterRef("billing_period_start")
    )
    highest, limit = OuterRef(f"{metric}_highest"), _FIELDS[metric][1]
    said = alerts.filter(Q(threshold=highest) | Q(threshold__gt=highest, limit__gte=OuterRef(limit)))
    lowest = get_settings().WARNING_THRESHOLDS[0]
    return Q(_reaches(metric, lowest), ~Exists(said), **{f"{limit}__gt": 0})


def _without_holds(records: list[UsageRecord]) -> Iterator[tuple[Standing, int]]:
    """With what is counted for good: a hold may still be given back."""
    if not records:
        return
    open_holds = UsageReservation.objects.using(router.db_for_write(UsageReservation)).held()
    mine = open_holds.filter(record_id__in=[record.pk for record in records]).order_by()
    sums = mine.values_list("record_id", "metric").annotate(total=Sum("amount"))
    held = {(record_id, metric): total for record_id, metric, total in sums}
    for record in records:
        for metric in Metric:
            standing = Standing(record, metric)
            used = standing.used - held.get((record.pk, str(metric)), 0)
            if getattr(record, f"{metric}_news") and highest_reached(used, standing.limit):
                yield standing, used


def _notice(standing: Standing, used: int) -> bool:
    """By the limit and the period of now: the record keeps those of when it was last counted on."""
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
