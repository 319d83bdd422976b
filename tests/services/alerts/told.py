"""What the tests of warnings look at."""

from __future__ import annotations

from typing import Any

from django_videoq_billing.models import Notification, UsageAlert
from django_videoq_billing.services import alert_sweep, usage_tracker
from django_videoq_billing.types import Metric


def told(user: Any, metric: Metric = Metric.VIDEO) -> list[int]:
    """The thresholds that the user is told of, in the order in which they were reached; one e-mail for each."""
    alerts = UsageAlert.objects.filter(user=user).order_by("pk")
    mails = Notification.objects.filter(user=user, kind=Notification.Kind.USAGE_WARNING).order_by("pk")
    assert [mail.key for mail in mails] == [str(alert.pk) for alert in alerts]
    return [alert.threshold for alert in alerts.filter(metric=metric)]


def sweep() -> int:
    """As the jobs do it: what was counted comes into the rows first."""
    usage_tracker.flush_usage()
    return sum(made for _, made in alert_sweep.find_reached())
