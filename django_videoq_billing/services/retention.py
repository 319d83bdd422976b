"""What is too old to be kept: in batches, each a short transaction, so that it can stop after any. Never payments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import (
    Notification,
    UsageAlert,
    UsageRecord,
    UsageRefusal,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.types import ReservationState

BATCH = 500
BODIES = 100  # a body may have a megabyte
NOTIFICATION_MONTHS = 12


def prune() -> Iterator[tuple[str, int]]:
    """Prune batch by batch; yields what and how many after each. Safe to stop, to repeat and to run twice at once."""
    now = timezone.now()
    months = relativedelta(months=get_settings().USAGE_RETENTION_MONTHS)
    bodies = now - timedelta(days=get_settings().WEBHOOK_RETENTION_DAYS)
    for what, batches in (
        ("webhook_bodies", _bodies(bodies)),
        ("usage", _usage(now - months)),
        ("usage_alerts", _rows(UsageAlert.objects.filter(period_end__lt=now - months))),
        ("refusals", _rows(UsageRefusal.objects.filter(created_at__lt=now - months))),
        ("notifications", _rows(_settled(now - relativedelta(months=NOTIFICATION_MONTHS)))),
    ):
        for count in batches:
            yield what, count


def reduced(payload: dict[str, Any]) -> dict[str, Any]:
    """Return of an event what is needed to process it once more: handlers fetch the object by its id."""
    subject = payload["data"]["object"]
    kept = _only(subject, "id", "object")
    customer = subject.get("customer")
    if customer:
        kept["customer"] = customer["id"] if isinstance(customer, dict) else customer
    return {**_only(payload, "id", "object", "type", "created", "livemode"), "data": {"object": kept}}


def _only(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}


def _bodies(before: datetime) -> Iterator[int]:
    """The row stays, so that the event is known when it comes again."""
    done = Q(state__in=WebhookEvent.DONE)
    if stripe_mirror.is_installed():  # what the mirror still waits for it gives up by itself
        done &= Q(mirrored_at__isnull=False) | Q(created_at__lt=timezone.now() - stripe_mirror.TRIED_FOR)
    old = WebhookEvent.objects.filter(done, pruned_at=None, created_at__lt=before).order_by("created_at")
    while batch := list(old.only("payload")[:BODIES]):
        for event in batch:
            event.payload, event.pruned_at = reduced(event.payload), timezone.now()
        WebhookEvent.objects.bulk_update(batch, ["payload", "pruned_at"])
        yield len(batch)


def _usage(before: datetime) -> Iterator[int]:
    """Records of ended periods and the holds that were settled in them; a record with an open hold is left."""
    open_holds = UsageReservation.objects.filter(record=OuterRef("pk"), state=ReservationState.HELD)
    old = UsageRecord.objects.filter(~Exists(open_holds), billing_period_end__lt=before)
    while records := list(old.order_by("billing_period_end", "pk").values_list("pk", flat=True)[:BATCH]):
        yield from _rows(
            UsageReservation.objects.filter(record__in=records).exclude(state=ReservationState.HELD)
        )
        empty = ~Exists(UsageReservation.objects.filter(record=OuterRef("pk")))
        yield _delete(UsageRecord.objects.filter(empty, pk__in=records))


def _settled(before: datetime) -> Any:
    return Notification.objects.filter(settled_at__lt=before)


def _rows(old: Any) -> Iterator[int]:
    while keys := list(old.order_by().values_list("pk", flat=True)[:BATCH]):
        yield _delete(old.filter(pk__in=keys))


def _delete(rows: Any) -> int:
    """Delete without reading what is deleted: what hangs on these rows is gone, and no counter that lives."""
    return int(rows._raw_delete(rows.db))
