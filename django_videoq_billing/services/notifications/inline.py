"""Sending without a worker, in the process in which something happened, once it has answered its request."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.local import Local
from django.db import connections

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.notifications.sending import send_due

logger = logging.getLogger("django_videoq_billing")

AT_ONCE = 5

_request = Local()


def remember(**kwargs: Any) -> None:
    """Something was written down in this request. Outside of one nobody looks at this, and the jobs send it."""
    _request.has_mail = True


def request_started(**kwargs: Any) -> None:
    """What was written down before, outside of any request, is not this request's to send."""
    _request.has_mail = False


def request_finished(**kwargs: Any) -> None:
    """Send a few, if this request made any. Never raises: nobody is there to hear it."""
    if not getattr(_request, "has_mail", False):
        return
    _request.has_mail = False
    if get_settings().EMAIL_SENDING != "inline":
        return
    try:
        send_due(AT_ONCE)
    except Exception:
        logger.exception("emails_not_sent")
    finally:
        _tidy_up()


def _tidy_up() -> None:
    """What Django does at the end of a request; it has done so already, before us. Not in a test's transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
