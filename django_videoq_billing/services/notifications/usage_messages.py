"""About usage: a limit is near, or reached."""

from __future__ import annotations

from django_videoq_billing.models import UsageAlert
from django_videoq_billing.services.notifications.telling import Case, Kind, Message, Outdated, ensure, tells
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric


@tells(Kind.USAGE_WARNING)
def usage_warning(case: Case) -> Message:
    """With the numbers of now: a limit may have been raised, and something given back."""
    alert = UsageAlert.objects.filter(pk=int(case.notification.key), user_id=case.user.pk).first()
    if alert is None:
        raise Outdated("The alert does not exist any more.")
    report, metric = UsageTracker.report(case.user), Metric(alert.metric)
    used = report.counters.used(metric)
    is_video = metric is Metric.VIDEO
    limit = report.video_limit if is_video else report.transcription_limit_seconds
    ensure(report.period.start < alert.period_end and alert.period_start < report.period.end, "It is over.")
    ensure(limit is not None and used * 100 >= alert.threshold * limit, "There is room again.")
    ensure(not _overtaken(alert), "A higher threshold was reached since.")
    return case.message(
        metric=metric.value,
        threshold=alert.threshold,
        is_full=limit is not None and used >= limit,
        used=used if is_video else -(-used // 60),
        limit=limit if is_video else report.transcription_limit_minutes,
        percent=int(
            (report.video_usage_percentage if is_video else report.transcription_usage_percentage) or 0
        ),
        period_end=report.period.end,
    )


def _overtaken(alert: UsageAlert) -> bool:
    """Whether a higher one of this period says it better; one at a limit that was raised since does not."""
    higher = UsageAlert.objects.filter(
        user_id=alert.user_id,
        metric=alert.metric,
        period_start=alert.period_start,
        threshold__gt=alert.threshold,
        limit__gte=alert.limit,
    )
    return higher.exists()
