"""Noticing that usage has reached a threshold of its limit, and having the user told once."""

from __future__ import annotations

from django.db import router, transaction
from django.db.models import Q
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification, UsageAlert
from django_videoq_billing.services import outbox
from django_videoq_billing.signals import quota_threshold_reached
from django_videoq_billing.types import Metric, Period, UserId


def highest_reached(used: int, limit: int | None) -> int | None:
    """Return the highest of WARNING_THRESHOLDS that this usage has reached, or None. Asks no database."""
    if not limit or used <= 0:
        return None
    reached = [
        threshold for threshold in get_settings().WARNING_THRESHOLDS if used * 100 >= threshold * limit
    ]
    return max(reached, default=None)


def notice(
    user_id: UserId, metric: Metric, period: Period, used: int, limit: int | None
) -> UsageAlert | None:
    """Write down that usage stands at `used` of `limit` if that is news; return the alert that was made.

    News is the highest threshold reached, once for each user, metric and period: a jump over several is one
    alert, and what a higher one has said already is said again only where the limit was raised since.
    """
    threshold = highest_reached(used, limit)
    if threshold is None or limit is None:
        return None
    about = {"user_id": user_id, "metric": metric, "period_start": period.start}
    said = Q(threshold=threshold) | Q(threshold__gt=threshold, limit__gte=limit)
    if UsageAlert.objects.filter(said, **about).exists():
        return None
    alias = router.db_for_write(UsageAlert)
    with transaction.atomic(using=alias):
        alert, is_new = UsageAlert.objects.get_or_create(
            **about,
            threshold=threshold,
            defaults={
                "period_end": period.end,
                "used": used,
                "limit": limit,
                "created_at": timezone.now(),
            },
        )
        if not is_new:
            return None
        outbox.add(Notification.Kind.USAGE_WARNING, user_id, str(alert.pk))
        transaction.on_commit(
            lambda: quota_threshold_reached.send_robust(UsageAlert, alert=alert), using=alias, robust=True
        )
    return alert
