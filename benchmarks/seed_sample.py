"""Check, then increment: the way most sites begin, and the sample that this project began from.

The cache answers the check, the database has the count, and between the two steps anybody may come in. The
sample's own increment cannot work (HINCRBY on a key that holds a pickled dict); dropping the cached copy instead is
the kindest repair, since a stale copy would admit everybody for five minutes.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from benchmarks.others import View
from django_videoq_billing.models import UsageRecord, UserSubscription

CACHE_SECONDS = 300


def check_then_increment(user: User) -> bool:
    if not can_upload_video(user):
        return False
    increment_video_count(user)
    return True


def view(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if not check_then_increment(request.user):  # type: ignore[arg-type]  # somebody is signed in
            return HttpResponse(status=403)
        return view(request)

    return checked


def can_upload_video(user: User) -> bool:
    subscription: UserSubscription = user.subscription
    limit = subscription.plan.video_limit
    return limit is None or get_usage(subscription)["video_count"] < limit


def increment_video_count(user: User) -> None:
    subscription: UserSubscription = user.subscription
    usage = _record(subscription)
    usage.video_count += 1
    usage.save(update_fields=["video_count", "updated_at"])
    cache.delete(_cache_key(subscription))


def get_usage(subscription: UserSubscription) -> dict[str, Any]:
    cached: dict[str, Any] | None = cache.get(_cache_key(subscription))
    if cached:
        return cached
    usage = _record(subscription)
    counts = {
        "video_count": usage.video_count,
        "transcription_seconds": usage.transcription_seconds,
        "updated_at": timezone.now().isoformat(),
    }
    cache.set(_cache_key(subscription), counts, CACHE_SECONDS)
    return counts


def _record(subscription: UserSubscription) -> UsageRecord:
    usage, _ = UsageRecord.objects.get_or_create(
        user_id=subscription.user_id,
        billing_period_start=subscription.current_period_start,
        billing_period_end=subscription.current_period_end,
        defaults={"video_count": 0, "transcription_seconds": 0},
    )
    return usage


def _cache_key(subscription: UserSubscription) -> str:
    return f"usage:{subscription.user_id}:{subscription.current_period_start.isoformat()}"


def recorded(request: HttpRequest) -> int:
    return _record(request.user.subscription).video_count  # type: ignore[union-attr]
