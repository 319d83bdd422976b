"""Receive, claim, process, retry: each event is stored once and worked on until it is done."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from django_videoq_billing import instruments
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import (
    BillingError,
    InvalidSignature,
    MalformedPayload,
    PayloadTooLarge,
)
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.models.claims import first_unlocked
from django_videoq_billing.services.stripe_payloads import moment
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_service.client import live_mode
from django_videoq_billing.signals import webhook_failed, work_waiting
from django_videoq_billing.webhooks.registry import family_of, handlers_for

logger = logging.getLogger("django_videoq_billing")

State = WebhookEvent.State
LONGEST_ERROR = 2000


def receive(body: bytes, signature: str) -> str:
    """Verify the raw body, store the event unless it is known, and return its id. Nothing else happens here.

    Raises PayloadTooLarge, InvalidSignature or MalformedPayload; then nothing was stored.
    """
    try:
        event = _verified(body, signature)
    except BillingError as error:
        instruments.count("webhooks_refused", reason=error.code)
        logger.warning("webhook_refused", extra={"reason": error.code})
        raise
    store(event)
    return str(event["id"])


def _verified(body: bytes, signature: str) -> dict[str, Any]:
    limit = get_settings().WEBHOOK_MAX_BYTES
    if len(body) > limit:
        raise PayloadTooLarge.more_than(limit)
    if not signature:
        raise InvalidSignature.of_webhook()
    event = StripeService.verify_webhook_signature(body, signature)
    if bool(event.get("livemode")) != live_mode():
        raise MalformedPayload.wrong_mode()
    return event


def store(event: dict[str, Any]) -> None:
    """Insert the event; one that is known stays as it is."""
    now = timezone.now()
    row = WebhookEvent(
        stripe_event_id=event["id"],
        type=event["type"][:100],
        payload=event,
        next_attempt_at=now,
        created_at=moment(event.get("created")) or now,
    )
    WebhookEvent.objects.bulk_create([row], ignore_conflicts=True)
    instruments.count("webhooks_received", family=family_of(event["type"]))
    logger.info("webhook_received", extra={"event_type": row.type})


def tell_worker() -> None:
    """Say that an event waits; call it when the event is committed."""
    work_waiting.send_robust(WebhookEvent, job="process_webhooks")


def process_event(stripe_event_id: str) -> bool:
    """Process one event now, unless another worker has it or it is done; return whether it was worked on."""
    event = _claim(WebhookEvent.objects.due(timezone.now()).filter(stripe_event_id=stripe_event_id))
    if event is None:
        return False
    _work_on(event)
    return True


def process_due(limit: int | None = None) -> int:
    """Process every event that is due, oldest first; return how many. Safe in many workers at once."""
    done = 0
    while limit is None or done < limit:
        event = _claim(WebhookEvent.objects.due(timezone.now()).order_by("next_attempt_at"))
        if event is None:
            break
        _work_on(event)
        done += 1
    return done


def replay(events: Any) -> int:
    """Mark events as new, to be processed once more; return how many. Those being processed are left."""
    waiting = events.exclude(state=State.PROCESSING)
    count = int(waiting.update(state=State.RECEIVED, attempts=0, next_attempt_at=timezone.now(), error=""))
    logger.info("webhooks_replayed", extra={"count": count})
    return count


def ignore(events: Any) -> int:
    """Leave events that failed or wait alone from now on; return how many. Their errors stay to be read."""
    waiting = events.filter(state__in=WebhookEvent.WAITING)
    count = int(waiting.update(state=State.IGNORED, processed_at=timezone.now(), leased_until=None))
    logger.info("webhooks_ignored", extra={"count": count})
    return count


def _claim(due: Any) -> WebhookEvent | None:
    """Take the first event for WEBHOOK_LEASE_SECONDS. A worker that dies loses it when they are over."""
    now = timezone.now()
    with transaction.atomic(using=router.db_for_write(WebhookEvent)):
        event: WebhookEvent | None = first_unlocked(due)
        if event is None:
            return None
        event.attempts += 1
        event.state = State.PROCESSING
        event.leased_until = now + timedelta(seconds=get_settings().WEBHOOK_LEASE_SECONDS)
        event.save(update_fields=["attempts", "state", "leased_until"])
    return event


def _work_on(event: WebhookEvent) -> None:
    """Run the handlers with no transaction of ours open: they speak to Stripe."""
    handlers = handlers_for(event.type)
    try:
        with instruments.span("webhook", event_type=event.type, attempts=event.attempts):
            for handler in handlers:
                handler(event)
    except Exception as error:
        instruments.count("webhooks_failed", family=family_of(event.type))
        logger.exception("webhook_failed", extra={"event_type": event.type, "attempts": event.attempts})
        _settle(
            event,
            state=State.FAILED,
            error=f"{type(error).__name__}: {error}"[:LONGEST_ERROR],
            next_attempt_at=_next_attempt(event.attempts),
        )
        webhook_failed.send_robust(WebhookEvent, event=event, error=error)
    else:
        _finish(event, State.PROCESSED if handlers else State.IGNORED)


def _finish(event: WebhookEvent, state: WebhookEvent.State) -> None:
    now = timezone.now()
    lag = max((now - event.created_at).total_seconds(), 0)
    instruments.count("webhooks_processed", family=family_of(event.type))
    if event.processed_at is None:  # a replay says nothing of how late we are
        instruments.observe("webhook_lag_seconds", lag)
    extra = {
        "event_type": event.type,
        "attempts": event.attempts,
        "state": state.value,
        "lag_seconds": round(lag, 3),
    }
    _settle(event, state=state, error="", processed_at=now)
    logger.info("webhook_processed", extra=extra)


def _settle(event: WebhookEvent, **changes: Any) -> None:
    """Write the outcome, unless the lease ran out and another worker has taken the event over."""
    mine = WebhookEvent.objects.filter(pk=event.pk, state=State.PROCESSING, attempts=event.attempts)
    mine.update(leased_until=None, **changes)


def _next_attempt(attempts: int) -> datetime:
    minutes = get_settings().WEBHOOK_RETRY_MINUTES
    return timezone.now() + timedelta(minutes=minutes[min(attempts, len(minutes)) - 1])
