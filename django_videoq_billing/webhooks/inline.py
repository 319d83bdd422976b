"""What happens to an event once its sender has been answered: without a worker the process itself works on it."""

from __future__ import annotations

import logging

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.webhooks import inbox

logger = logging.getLogger("django_videoq_billing")

TAKEN_ALONG = 3  # each event brings one and takes up to three, so that what waits becomes less


def hand_on(stripe_event_id: str) -> None:
    """Have the event worked on: here and now, or by whom WEBHOOK_PROCESSING names. Never raises."""
    if get_settings().WEBHOOK_PROCESSING == "inline":
        work_off(stripe_event_id)
    else:
        inbox.tell_worker()


def work_off(stripe_event_id: str) -> None:
    """Process the event; take along a few whose time has come again, and then fill the mirror.

    Never raises: nobody is there to hear it. What fails stays in the inbox, for the next event or a worker.
    """
    try:
        inbox.process_event(stripe_event_id)
        inbox.process_due(TAKEN_ALONG)
        stripe_mirror.mirror_due(TAKEN_ALONG)
    except Exception:
        logger.exception("webhook_not_worked_off")
