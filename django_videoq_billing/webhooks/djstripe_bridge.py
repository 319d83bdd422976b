"""Events that arrive at dj-stripe's own webhook URL come into our inbox, too: once, whichever URLs are mounted."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.services.stripe_service.client import live_mode
from django_videoq_billing.webhooks import inbox, inline


def connect() -> None:
    stripe_mirror.connect_events(receive)


def receive(event: dict[str, Any]) -> None:
    """Store an event that dj-stripe has verified, and process it after dj-stripe's transaction."""
    if bool(event.get("livemode")) != live_mode():
        return
    inbox.store(event)
    transaction.on_commit(lambda: inline.hand_on(event["id"]), robust=True)
