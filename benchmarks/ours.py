"""This package's own calls, on each store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import override_settings

from benchmarks.others import View, upload
from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import Hold, UsageTracker
from django_videoq_billing.types import Entitlement, Metric
from django_videoq_billing.usage import get_store

STORES = ("database", "redis")
VALID_SECONDS = 86400
"""How long Redis may rely on what it was told of a plan: nobody's time runs out while a million users are asked."""


def on(store: str, alias: str = "default") -> AbstractContextManager[Any]:
    """Count in this store until the block ends."""
    redis = {"USAGE_REDIS_ALIAS": alias, "USAGE_ENTITLEMENT_SECONDS": VALID_SECONDS}
    return override_settings(VIDEOQ_BILLING={"USAGE_STORE": store, **redis})


def reserve(user: User) -> Hold:
    return UsageTracker.reserve(user, "video")


def reserve_and_commit(user: User) -> None:
    UsageTracker.reserve(user, "video").commit()


class Known:
    """An entitlement that was read before the clock starts."""

    def __init__(self, user: User) -> None:
        self.user_id = user.pk
        self._entitlement = entitlement_for(user)

    def __call__(self) -> Entitlement:
        return self._entitlement


def settle_known(known: Known) -> None:
    """What the store alone takes."""
    store = get_store()
    store.commit(store.reserve(known, Metric.VIDEO, 1).hold_id)


def refuse(user: User) -> None:
    """The user is at the limit."""
    try:
        UsageTracker.reserve(user, "video")
    except QuotaExceeded:
        return
    raise AssertionError("Somebody at the limit was admitted.")


def count(user: User) -> None:
    UsageTracker.count(user, "video")


def commit_all(holds: list[Hold]) -> None:
    for hold in holds:
        hold.commit()


def flush(alias: str = "default") -> None:
    """As it happens every minute in production."""
    with on("redis", alias):
        get_store().flush()


def two_phase_view() -> View:
    """Reserve before the view, commit after it: the default."""
    decorated: View = requires_quota("video")(upload)
    return decorated


def counting_view() -> View:
    """Count at admission: a success costs nothing after the view."""
    decorated: View = requires_quota("video", hold=False)(upload)
    return decorated


def is_admitted(response: HttpResponseBase) -> bool:
    return response.status_code < 400


def recorded(request: HttpRequest) -> int:
    user: Any = request.user
    return UsageTracker.get_usage(user)["video_count"]
