"""Whether billing is well: what a probe asks, what the gauges of Prometheus show. Each look is short."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, router
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import JobRun, UsageRecord, UserSubscription, WebhookEvent
from django_videoq_billing.services import counting

logger = logging.getLogger("django_videoq_billing")

LAG_SECONDS = 300
"""The oldest entry of the usage store may wait so long for a flush, which runs at least once a minute."""

OVERDUE_SECONDS = 600
"""An event that is due may wait so long for somebody to work on it."""

IDLE_SECONDS = 3600
"""So long may pass without any job having run. A site on which none has ever run may do without them."""

FAILURES = 3
"""A job that has failed so often in a row needs a person."""

MOST_COUNTED = 10_000
"""Nobody needs to know how many more there are, and counting them takes time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a part is well, and the figures that say so."""

    ok: bool
    figures: Mapping[str, float] = field(default_factory=dict)


def check_all() -> dict[str, Finding]:
    """Ask every probe. One that raises is not well; the others are asked all the same."""
    return {name: _asked(name, probe) for name, probe in PROBES.items()}


def figures() -> Iterator[tuple[str, Mapping[str, float], bool]]:
    """The same for gauges: name, figures, and whether it is well."""
    for name, finding in check_all().items():
        yield name, finding.figures, finding.ok


def _asked(name: str, probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except Exception as error:
        logger.warning("health_probe_failed", extra={"probe": name, "error": type(error).__name__})
        return Finding(ok=False)


def database() -> Finding:
    """Every database that billing writes to answers."""
    began = time.monotonic()
    for alias in {router.db_for_write(model) for model in (UsageRecord, UserSubscription, WebhookEvent)}:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    return Finding(ok=True, figures={"seconds": round(time.monotonic() - began, 6)})


def usage_store() -> Finding:
    """The usage store answers, and somebody flushes it."""
    lag = counting.lag()
    seconds = round(lag.seconds, 3)
    return Finding(seconds <= LAG_SECONDS, {"lag_seconds": seconds, "waiting": lag.waiting})


def webhooks() -> Finding:
    """Somebody works on events when they are due: new ones, and those to be tried again."""
    now = timezone.now()
    due = _events().filter(state__in=WebhookEvent.WAITING, next_attempt_at__lte=now)
    left = _events().filter(state=WebhookEvent.State.PROCESSING, leased_until__lte=now)
    since = [
        *due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)[:1],
        *left.order_by("leased_until").values_list("leased_until", flat=True)[:1],
    ]
    overdue = max([0.0, *((now - moment).total_seconds() for moment in since)])
    waiting = due[:MOST_COUNTED].count()
    return Finding(overdue <= OVERDUE_SECONDS, {"overdue_seconds": round(overdue, 3), "waiting": waiting})


def failed_webhooks() -> Finding:
    """No event has failed at every attempt of WEBHOOK_RETRY_MINUTES: such a one needs a person."""
    failed = _events().filter(state=WebhookEvent.State.FAILED)
    stuck = failed.filter(attempts__gt=len(get_settings().WEBHOOK_RETRY_MINUTES))
    figures = {"failed": failed[:MOST_COUNTED].count(), "stuck": stuck[:MOST_COUNTED].count()}
    return Finding(not figures["stuck"], figures)


def _events() -> Any:
    """Read where they are written: a replica may lag behind."""
    return WebhookEvent.objects.using(router.db_for_write(WebhookEvent)).order_by()


def jobs() -> Finding:
    """Somebody runs the jobs, and none fails again and again."""
    rows = list(JobRun.objects.using(router.db_for_write(JobRun)).all())
    latest = max((row.finished_at for row in rows if row.finished_at), default=None)
    idle = (timezone.now() - latest).total_seconds() if latest else 0.0
    failing = sum(row.failures >= FAILURES for row in rows)
    well = not failing and idle <= IDLE_SECONDS
    return Finding(well, {"idle_seconds": round(max(idle, 0.0), 3), "failing": failing})


PROBES: Mapping[str, Callable[[], Finding]] = {
    "database": database,
    "usage_store": usage_store,
    "webhooks": webhooks,
    "failed_webhooks": failed_webhooks,
    "jobs": jobs,
}
"""By the name that the health view and the gauges give them."""
