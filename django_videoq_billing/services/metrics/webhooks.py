from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Q, Window
from django.db.models.functions import RowNumber

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.metrics.figures import Lag, WebhookLag
from django_videoq_billing.types import Period


def lag(window: Period, now: datetime) -> WebhookLag:
    """How long the events that were received in the window took, and what waits now."""
    received = WebhookEvent.objects.order_by().filter(
        received_at__gte=window.start, received_at__lt=window.end
    )
    done = received.filter(processed_at__isnull=False)
    counts = received.aggregate(received=Count("pk"), done=Count("pk", filter=Q(processed_at__isnull=False)))
    waiting = (
        WebhookEvent.objects.order_by()
        .exclude(state__in=WebhookEvent.DONE)
        .aggregate(
            count=Count("pk"),
            failing=Count("pk", filter=Q(state=WebhookEvent.State.FAILED)),
            oldest=Min("received_at"),
        )
    )
    oldest = waiting["oldest"]
    return WebhookLag(
        delivery=_lag(received, counts["received"], "created_at", "received_at"),
        processing=_lag(done, counts["done"], "received_at", "processed_at"),
        waiting=waiting["count"],
        failing=waiting["failing"],
        oldest_waiting=None if oldest is None else (now - oldest).total_seconds(),
    )


def _lag(events: Any, count: int, start: str, end: str) -> Lag:
    """The nearest-rank percentiles: SQLite has no function for them, and a list of all lags has no bound."""
    ranks = {
        name: max(math.ceil(share * count), 1) for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1))
    }
    took = ExpressionWrapper(F(end) - F(start), output_field=DurationField())
    ordered = events.annotate(took=took, rank=Window(RowNumber(), order_by="took"))
    found = dict(ordered.filter(rank__in=set(ranks.values())).values_list("rank", "took"))
    values = {name: found[rank].total_seconds() if rank in found else None for name, rank in ranks.items()}
    return Lag(count=count, **values)
