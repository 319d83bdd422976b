"""Extra allowances as the one sum that a subscription's row carries, so that admitting asks no further table."""

from __future__ import annotations

from django.db import router, transaction
from django.db.models import Min, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from django_videoq_billing.models import ExtraAllowance, UserSubscription
from django_videoq_billing.types import Metric, UserId


def refresh(user_id: UserId) -> UserSubscription | None:
    """Write the sums of the running allowances, and when they change, into the user's row; return it.

    Safe to repeat and under any concurrency: the row is locked while the allowances are read.
    """
    alias = router.db_for_write(UserSubscription)
    with transaction.atomic(using=alias):
        rows = UserSubscription.objects.using(alias).select_for_update().filter(user_id=user_id)
        row = rows.order_by().first()
        if row is None:
            return None
        running = ExtraAllowance.objects.using(alias).running(timezone.now()).filter(user_id=user_id)
        sums = running.order_by().aggregate(
            videos=Coalesce(Sum("amount", filter=Q(metric=Metric.VIDEO)), 0),
            seconds=Coalesce(Sum("amount", filter=Q(metric=Metric.TRANSCRIPTION)), 0),
            until=Min("expires_at"),
        )
        row.extra_videos, row.extra_transcription_seconds = sums["videos"], sums["seconds"]
        row.extra_changes_at = sums["until"]
        row.save(
            update_fields=["extra_videos", "extra_transcription_seconds", "extra_changes_at", "updated_at"]
        )
    return row
