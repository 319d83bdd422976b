"""Events that never arrived, asked for afterwards: https://docs.stripe.com/webhooks/process-undelivered-events"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.webhooks import inbox

logger = logging.getLogger("django_videoq_billing")

BATCH = 100
KEPT_DAYS = 30  # Stripe lists events of the last 30 days


def fetch_missed_events(since: datetime) -> int:
    """Store every event since then that the inbox does not have, and return how many. Nothing is processed yet."""
    return sum(stored for stored, _ in fetch_pages(since))


def fetch_pages(since: datetime, after: str | None = None) -> Iterator[tuple[int, str]]:
    """The same page by page, newest first; yields how many were stored and the place to go on `after`."""
    params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}}
    events = StripeService.each("events", {**params, "starting_after": after} if after else params)
    for batch in _batches(events):
        yield _store_unknown(batch), batch[-1]["id"]


def _batches(events: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(events, BATCH)):
        yield batch


def _store_unknown(events: list[dict[str, Any]]) -> int:
    ids = [event["id"] for event in events]
    stored = WebhookEvent.objects.filter(stripe_event_id__in=ids)
    known = set(stored.values_list("stripe_event_id", flat=True))
    unknown = [event for event in events if event["id"] not in known]
    for event in unknown:
        inbox.store(event)
    if unknown:
        logger.warning("webhooks_missed", extra={"count": len(unknown)})
    return len(unknown)
