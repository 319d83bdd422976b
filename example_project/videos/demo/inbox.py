"""The events that Stripe would have sent in the last month; one of them has failed for hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import User

from django_videoq_billing.models import PaymentTransaction, UserSubscription, WebhookEvent
from example_project.videos.demo.lives import Paid, Type

MARK = "evt_demo_"
LAST = timedelta(days=30)
STUCK_FOR = timedelta(hours=4, minutes=26)
STUCK = "StripeUnavailable: Stripe does not answer right now. Please try again in a moment."

State = WebhookEvent.State

_TYPES = {
    (Type.SUBSCRIPTION_REFUND, Paid.REFUNDED): ("refund.created", "refund"),
    (Type.DISPUTE, Paid.DISPUTED): ("charge.dispute.created", "dispute"),
    (Type.DISPUTE, Paid.SUCCEEDED): ("charge.dispute.closed", "dispute"),
}


def events_of(
    lines: list[PaymentTransaction], rows: list[UserSubscription], rng: Random, now: datetime
) -> list[WebhookEvent]:
    events = [*_events(lines, rows, rng, now), _stuck(rows, rng, now)]
    for number, event in enumerate(sorted(events, key=lambda each: each.created_at)):
        event.stripe_event_id = event.payload["id"] = f"{MARK}{number:05}"
    return events


def _stuck(rows: list[UserSubscription], rng: Random, now: datetime) -> WebhookEvent:
    """About somebody who pays; it was tried eight times, and will be tried again within the hour."""
    row = next(row for row in reversed(rows) if row.stripe_subscription_id and row.is_active)
    subject = _subscription(row.user, row.stripe_subscription_id, "active")
    event = _event("customer.subscription.updated", subject, now - STUCK_FOR, rng)
    event.state, event.error, event.attempts = State.FAILED, STUCK, 8
    event.next_attempt_at, event.processed_at = now + timedelta(minutes=55), None
    return event


def _events(
    lines: list[PaymentTransaction], rows: list[UserSubscription], rng: Random, now: datetime
) -> Iterator[WebhookEvent]:
    subscriptions = {row.user_id: row.stripe_subscription_id for row in rows}
    for line in lines:
        if line.user is None or line.created_at < now - LAST:
            continue
        name = "invoice.payment_failed" if line.status == Paid.FAILED else "invoice.paid"
        kind, shape = _TYPES.get((Type(line.type), Paid(line.status)), (name, "invoice"))
        yield _event(kind, _object(line, line.user, shape), line.created_at, rng)
        if shape == "invoice":
            status = "past_due" if line.status == Paid.FAILED else "active"
            subscription = _subscription(line.user, subscriptions[line.user.pk], status)
            yield _event("customer.subscription.updated", subscription, line.created_at, rng)
            yield _event("invoice.created", _object(line, line.user, shape), line.created_at, rng)


def _object(line: PaymentTransaction, user: User, shape: str) -> dict[str, Any]:
    amount = abs(line.amount_cents)
    found = {
        "id": line.stripe_object_id,
        "object": shape,
        "customer": _customer(user),
        "currency": line.currency.lower(),
        "amount": amount,
    }
    if shape != "invoice":
        return found
    paid = amount if line.status == Paid.SUCCEEDED else 0
    return {
        **found,
        "amount_due": amount,
        "amount_paid": paid,
        "customer_email": user.email,
        "customer_name": user.get_full_name(),
    }


def _subscription(user: User, stripe_id: str | None, status: str) -> dict[str, Any]:
    return {"id": stripe_id, "object": "subscription", "customer": _customer(user), "status": status}


def _customer(user: User) -> str:
    return f"cus_demo_{user.pk}"


def _event(kind: str, subject: dict[str, Any], at: datetime, rng: Random) -> WebhookEvent:
    received = at + timedelta(seconds=rng.uniform(0.4, 4))
    processed = received + timedelta(seconds=rng.expovariate(1 / 2))
    payload = {
        "object": "event",
        "type": kind,
        "created": int(at.timestamp()),
        "livemode": False,
        "data": {"object": subject},
    }
    return WebhookEvent(
        type=kind,
        payload=payload,
        state=State.IGNORED if kind == "invoice.created" else State.PROCESSED,
        attempts=1,
        next_attempt_at=received,
        created_at=at,
        processed_at=processed,
        mirrored_at=processed,
    )
