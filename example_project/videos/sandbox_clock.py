"""The demo's time. Where the sandbox stands in for Stripe, its console can advance time, and the site follows.

Otherwise a renewal would lie in the future of the site, and no grace period would ever end.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException
from urllib.request import urlopen

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

logger = logging.getLogger(__name__)

_real_now = timezone.now
_ahead = timedelta()


def follow_sandbox(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: before each request set Django's clock to the sandbox's. Signatures keep to real time."""

    def middleware(request: HttpRequest) -> HttpResponse:
        follow()
        return get_response(request)

    return middleware


def follow() -> None:
    """Set Django's clock to the sandbox's."""
    timezone.now = now
    read_clock()


def now() -> datetime:
    return _real_now() + _ahead


def read_clock() -> None:
    """Ask the sandbox how far it is ahead; one that does not answer leaves the clock as it was."""
    global _ahead
    try:
        with urlopen(f"{sandbox_address()}/_sandbox/clock", timeout=2) as answer:  # noqa: S310 - http
            seconds = json.load(answer)["now"] - int(time.time())
    except (OSError, HTTPException, ValueError, KeyError):
        logger.warning("The sandbox does not tell its time.")
        return
    if abs(seconds - _ahead.total_seconds()) > 5:  # less is the time that asking took
        _ahead = timedelta(seconds=seconds)


def sandbox_address() -> str:
    return str(getattr(settings, "STRIPE_API_BASE", ""))


def is_ahead() -> bool:
    return bool(_ahead)
