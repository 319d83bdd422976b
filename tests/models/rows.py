"""Rows of every model, unsaved and valid by themselves; pass what the test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType

from django_videoq_billing.models import (
    DailyMoney,
    ExtraAllowance,
    Notification,
    SubscriptionPlan,
    TranscriptionJob,
    UsageAlert,
    UsageCorrection,
    UsageRecord,
    UsageRefusal,
    UsageReservation,
    UserSubscription,
)
from tests.factories import make_plan, make_user

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def new_plan(**fields: Any) -> SubscriptionPlan:
    return SubscriptionPlan(**{"name": "Plus", "slug": "plus", "video_limit": 1, **fields})


def new_subscription(**fields: Any) -> UserSubscription:
    values = {"current_period_start": START, "current_period_end": END, **fields}
    rows = {"user": values.get("user") or make_user(), "plan": values.get("plan") or make_plan()}
    return UserSubscription(**{**values, **rows})


def new_record(**fields: Any) -> UsageRecord:
    values = {"billing_period_start": START, "billing_period_end": END, **fields}
    return UsageRecord(**{"user": values.get("user") or make_user(), **values})


def new_reservation(**fields: Any) -> UsageReservation:
    record = fields.get("record") or new_record()
    if record.pk is None:
        record.save()
    values = {"user": record.user, "record": record, "metric": "video", "amount": 1, "expires_at": END}
    return UsageReservation(**{**values, **fields})


def new_job(**fields: Any) -> TranscriptionJob:
    """A job for any row of the host's: the package does not know its videos."""
    video = fields.pop("video", None) or Group.objects.get_or_create(name="a video")[0]
    values = {"content_type": ContentType.objects.get_for_model(video), "object_id": str(video.pk), **fields}
    return TranscriptionJob(**{"user": values.get("user") or make_user(), **values})


def new_notification(**fields: Any) -> Notification:
    values = {"kind": "refund", "key": "1", "next_attempt_at": START, "created_at": START, **fields}
    return Notification(**{"user": values.get("user") or make_user(), **values})


def new_alert(**fields: Any) -> UsageAlert:
    values = {"metric": "video", "threshold": 80, "used": 8, "limit": 10, "created_at": START, **fields}
    period = {"period_start": START, "period_end": END}
    return UsageAlert(**{"user": values.get("user") or make_user(), **period, **values})


def new_allowance(**fields: Any) -> ExtraAllowance:
    values = {"metric": "video", "amount": 2, "reason": "An upload was lost.", "expires_at": END, **fields}
    return ExtraAllowance(**{"user": values.get("user") or make_user(), **values})


def new_correction(**fields: Any) -> UsageCorrection:
    values = {
        "metric": "video",
        "period_start": START,
        "before": 3,
        "after": 2,
        "reason": "A test.",
        **fields,
    }
    return UsageCorrection(**{"user": values.get("user") or make_user(), **values})


def new_refusal(**fields: Any) -> UsageRefusal:
    values = {
        "metric": "video",
        "hour": START,
        "amount": 1,
        "used": 3,
        "limit": 3,
        "created_at": START,
        **fields,
    }
    return UsageRefusal(**{"user": values.get("user") or make_user(), **values})


def new_day_of_money(**fields: Any) -> DailyMoney:
    return DailyMoney(**{"date": START.date(), "currency": "USD", **fields})
