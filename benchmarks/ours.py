"""This package's own calls, on each store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import override_settings

from benchmarks.others import View, upload
from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.services.usage_tracker import Hold, UsageTracker

STORES: tuple[str, ...] = ("database",)
COUNTS_AT_ADMISSION = False
"""The switch for what is being built: the Redis store joins STORES, and `hold=False` is measured."""


def on(store: str) -> AbstractContextManager[Any]:
    """Count in this store until the block ends."""
    return override_settings(VIDEOQ_BILLING={**settings.VIDEOQ_BILLING, "USAGE_STORE": store})


def reserve(user: User) -> Hold:
    return UsageTracker.reserve(user, "video")


def reserve_and_commit(user: User) -> None:
    UsageTracker.reserve(user, "video").commit()


def refuse(user: User) -> None:
    """The user is at the limit."""
    try:
        UsageTracker.reserve(user, "video")
    except QuotaExceeded:
        return
    raise AssertionError("Somebody at the limit was admitted.")


def commit_all(holds: list[Hold]) -> None:
    for hold in holds:
        hold.commit()


def two_phase_view() -> View:
    """Reserve before the view, commit after it: the default."""
    decorated: View = requires_quota("video")(upload)
    return decorated


def counting_view() -> View:
    """Count at admission: a success costs nothing after the view."""
    options: dict[str, Any] = {"hold": False} if COUNTS_AT_ADMISSION else {}
    decorated: View = requires_quota("video", **options)(upload)
    return decorated


def is_admitted(response: HttpResponseBase) -> bool:
    return response.status_code < 400


def recorded(request: HttpRequest) -> int:
    user: Any = request.user
    return UsageTracker.get_usage(user)["video_count"]
