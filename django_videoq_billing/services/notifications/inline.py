"""Sending without a worker, in the process in which something happened, once it has answered its request."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.local import Local
from django.db import close_old_connections

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.notifications.sending import send_due

logger = logging.getLogger("django_videoq_billing")

AT_ONCE = 5

_request = Local()


def remember(**kwargs: Any) -> None:
    """Something was written down in this request. Outside of one nobody looks at this, and the jobs send it."""
    _request.has_mail = True


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
        close_old_connections()  # Django has done so already, before us
