"""The same jobs as the commands, for hosts with Celery. The only module that knows it; without it, plain functions.

A task is a wake-up: what it finds to do is written down elsewhere, so a lost or doubled message does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from django_videoq_billing.services import notifications, usage_tracker

try:
    from celery import shared_task
except ImportError:  # then these are plain functions

    def shared_task(**options: Any) -> Callable[[Any], Any]:
        return lambda function: function


@shared_task(name="videoq_billing.flush_usage", ignore_result=True)
def flush_usage() -> int:
    """Bring what the store has counted into the database; at least once a minute with the Redis store."""
    return usage_tracker.flush_usage()


@shared_task(name="videoq_billing.expire_reservations", ignore_result=True)
def expire_reservations() -> int:
    """Give back every hold that is overdue."""
    return usage_tracker.release_expired(timezone.now())


@shared_task(name="videoq_billing.send_notifications", ignore_result=True)
def send_notifications() -> int:
    """Send the e-mails that are due; queued as soon as one is where EMAIL_SENDING is "celery"."""
    return notifications.send_due()
