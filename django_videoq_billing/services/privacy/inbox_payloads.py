"""The events of a customer in the inbox, without what they say of the person.

A scrubbed event keeps its id, its type and the ids of its object and its customer. So the inbox itself remembers
who was anonymised, and events that arrive later are found by the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services import stripe_mirror

MARK = "anonymised"
_BATCH = 200
_KEPT = ("id", "object", "type", "created", "livemode", "api_version")
_NAMED_BY_OTHERS = ("charge", "payment_intent", "payment_method", "setup_intent")
"""Refunds and disputes, and cards that were taken off, name one of these instead of the customer."""


def scrub(customers: Collection[str]) -> int:
    """Scrub every event of the customers; return how many there were. Safe to repeat."""
    done = 0
    for some in _batches(sorted(customers)):
        owners = _owned(some)
        done += _scrub(_of_customers(some), owners)
        for ids in _batches(sorted(owners)):
            done += _scrub(_about(ids), owners)
    return done


def count(customer_id: str) -> int:
    """Return how many events `scrub` would change."""
    mine = _of_customers([customer_id])
    for ids in _batches(sorted(_owned([customer_id]))):
        mine |= _about(ids)
    return _unscrubbed(mine).count()


def remembered() -> set[str]:
    """Return the customers of scrubbed events."""
    scrubbed = WebhookEvent.objects.order_by().filter(payload__anonymised=True)
    found = scrubbed.values_list("payload__data__object__customer", flat=True).distinct()
    return {str(customer) for customer in found if customer}


def _of_customers(ids: Sequence[str]) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.order_by("pk").filter(
        Q(payload__data__object__customer__in=ids)
        | Q(payload__data__object__customer__id__in=ids)
        | Q(payload__data__object__id__in=ids)
        | Q(payload__data__previous_attributes__customer__in=ids)
    )


def _about(ids: Sequence[str]) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.order_by("pk").filter(
        Q(payload__data__object__id__in=ids)
        | Q(payload__data__object__charge__in=ids)
        | Q(payload__data__object__payment_intent__in=ids)
        | Q(payload__data__object__payment_method__in=ids)
    )


def _owned(customers: Sequence[str]) -> dict[str, str]:
    """Return the customers' objects that other objects name, each with its customer."""
    named = _of_customers(customers).filter(payload__data__object__object__in=_NAMED_BY_OTHERS)
    return {
        subject["id"]: _customer(payload) or ""
        for payload in named.values_list("payload", flat=True).iterator(_BATCH)
        if (subject := payload["data"]["object"])
    }


def _customer(payload: dict[str, Any]) -> str | None:
    subject = payload["data"]["object"]
    before = payload["data"].get("previous_attributes") or {}
    customer = subject.get("customer") or before.get("customer")
    if subject.get("object") == "customer":
        customer = subject["id"]
    return customer["id"] if isinstance(customer, dict) else customer


def _unscrubbed(events: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
    return events.filter(payload__anonymised__isnull=True)


def _scrub(events: QuerySet[WebhookEvent], owners: dict[str, str]) -> int:
    done = 0
    while batch := list(_unscrubbed(events)[:_BATCH]):
        for event in batch:
            event.payload = _scrubbed(event.payload, owners)
            event.error = ""
            event.mirrored_at = event.mirrored_at or timezone.now()  # there is nothing to mirror any more
        with transaction.atomic():
            stripe_mirror.forget_events([event.stripe_event_id for event in batch])
            WebhookEvent.objects.bulk_update(batch, ["payload", "error", "mirrored_at"])
        done += len(batch)
    return done


def _scrubbed(payload: dict[str, Any], owners: dict[str, str]) -> dict[str, Any]:
    subject = payload["data"]["object"]
    related = [subject.get(name) for name in ("id", *_NAMED_BY_OTHERS)]
    known = (owners[name] for name in related if isinstance(name, str) and name in owners)
    kept = {name: subject[name] for name in ("id", "object") if name in subject}
    kept["customer"] = _customer(payload) or next(known, None)
    top = {name: payload[name] for name in _KEPT if name in payload}
    return {**top, "data": {"object": kept}, MARK: True}


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
