"""The rows behind the counters, and the two ways to move them. Every lock is taken record first, then hold."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import models, router, transaction
from django.db.models import Exists, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from django_videoq_billing.models import UsageRecord, UsageReservation, UsageSettlement
from django_videoq_billing.models.usage import UsageReservationQuerySet
from django_videoq_billing.types import Entitlement, Metric, Period, ReservationState, UserId

COUNTER = {Metric.VIDEO: "video_count", Metric.TRANSCRIPTION: "transcription_seconds"}
LAST_USED = {Metric.VIDEO: "last_video_uploaded_at", Metric.TRANSCRIPTION: "last_transcription_at"}


def alias() -> str:
    """Counters are read where they are written: a replica may lag behind."""
    return router.db_for_write(UsageRecord)


def records(entitlement: Entitlement) -> models.QuerySet[UsageRecord]:
    return UsageRecord.objects.using(alias()).filter(
        user_id=entitlement.user_id, billing_period_start=entitlement.period.start
    )


def holds() -> UsageReservationQuerySet:
    return UsageReservation.objects.using(alias())


def overdue(now: datetime) -> UsageReservationQuerySet:
    """Holds to give back; not those whose commit is written down and waits for Redis."""
    told = UsageSettlement.objects.filter(
        reservation_id=OuterRef("pk"), state=UsageSettlement.State.COMMITTED
    )
    return holds().overdue(now).exclude(Exists(told))


def committed(user_id: UserId, metric: Metric, period: Period) -> int:
    """The counter without what is held open on it, by one statement."""
    record = UsageRecord.objects.using(alias()).filter(user_id=user_id, billing_period_start=period.start)
    open_holds = holds().held().filter(record_id=OuterRef("pk"), metric=metric).order_by().values("record_id")
    held = Subquery(open_holds.annotate(total=Sum("amount")).values("total"))
    row = record.order_by().values_list(COUNTER[metric], Coalesce(held, 0)).first()
    return max(row[0] - row[1], 0) if row else 0


def snapshot(entitlement: Entitlement) -> dict[str, Any]:
    """What the record remembers of the entitlement, so that past periods can still be shown truly."""
    return {
        "billing_period_end": entitlement.period.end,
        "video_limit": entitlement.video_limit,
        "transcription_limit_seconds": entitlement.transcription_limit_seconds,
    }


def record_of(hold: UsageReservation) -> models.QuerySet[UsageRecord]:
    return UsageRecord.objects.using(alias()).filter(pk=hold.record_id)


def shift(record: models.QuerySet[UsageRecord], metric: Metric, difference: int) -> None:
    """Move a counter, but not below zero: an operator may have corrected it while the hold was open."""
    if difference == 0:
        return
    counter = COUNTER[metric]
    value = Greatest(F(counter), -difference) + difference
    record.update(**{counter: value, "updated_at": timezone.now()})


def give_back(overdue: UsageReservationQuerySet, batch_size: int, *, skip_locked: bool) -> int:
    """Expire overdue holds of at most `batch_size` records; return how many holds.

    With `skip_locked` records that somebody else is counting on at this moment are left for later;
    without, this waits for them, and afterwards sees what they left.
    """
    with transaction.atomic(using=alias()):
        wanted = overdue.order_by("expires_at").values_list("record_id", flat=True)[:batch_size]
        found = UsageRecord.objects.using(alias()).filter(pk__in=set(wanted)).order_by("pk")
        locked = list(found.select_for_update(skip_locked=skip_locked).values_list("pk", flat=True))
        mine = list(overdue.filter(record_id__in=locked).select_for_update(skip_locked=True))
        holds().filter(pk__in=[hold.pk for hold in mine]).update(
            state=ReservationState.EXPIRED, settled_amount=0, settled_at=timezone.now(), key=None
        )
        sums: Counter[tuple[int, str]] = Counter()
        for hold in mine:
            sums[hold.record_id, hold.metric] += hold.amount
        for (record_id, metric), amount in sorted(sums.items()):
            shift(UsageRecord.objects.using(alias()).filter(pk=record_id), Metric(metric), -amount)
    return len(mine)
