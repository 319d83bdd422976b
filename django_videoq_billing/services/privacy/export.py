"""All that this app keeps about a user, as plain values."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, Model, QuerySet

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import (
    EmailPreference,
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    TranscriptionJob,
    UsageAlert,
    UsageCorrection,
    UsageRecord,
    UsageRefusal,
    UsageReservation,
    UserSubscription,
)
from django_videoq_billing.services.usage_tracker import flush_usage

# By model: what is given out, and what only together with Stripe's ids: an invoice's link opens it for whoever has it.
GIVEN: dict[type[Model], list[str]] = {
    UserSubscription: [
        *["status", "current_period_start", "current_period_end", "period_anchor", "cancel_at_period_end"],
        *["cancelled_at", "trial_end", "grace_period_end", "pending_plan_effective_at", "assigned_at"],
        *["assigned_until", "grace_extended_until"],
        *["created_at", "updated_at"],
    ],
    UsageRecord: [
        *[
            "billing_period_start",
            "billing_period_end",
            "video_count",
            "transcription_seconds",
            "video_limit",
        ],
        *["transcription_limit_seconds", "last_video_uploaded_at", "last_transcription_at"],
        *["created_at", "updated_at"],
    ],
    UsageReservation: [
        *[
            "id",
            "metric",
            "amount",
            "settled_amount",
            "state",
            "key",
            "expires_at",
            "created_at",
            "settled_at",
        ],
    ],
    PaymentTransaction: [
        *["amount_cents", "currency", "type", "status", "description", "created_at", "recorded_at"],
    ],
    UsageAlert: ["metric", "threshold", "used", "limit", "period_start", "period_end", "created_at"],
    UsageRefusal: ["metric", "hour", "amount", "used", "limit", "created_at"],
    Notification: ["kind", "state", "facts", "created_at", "settled_at"],
    ExtraAllowance: ["metric", "amount", "reason", "expires_at", "revoked_at", "created_at"],
    UsageCorrection: ["metric", "period_start", "before", "after", "reason", "created_at"],
    EmailPreference: ["language", "unsubscribed", "updated_at"],
    TranscriptionJob: [
        *["object_id", "estimated_seconds", "duration_seconds", "cost_per_second", "cost_cents"],
        *[
            "whisper_model",
            "status",
            "error_message",
            "created_at",
            "started_at",
            "completed_at",
            "updated_at",
        ],
    ],
}
OF_STRIPE: dict[type[Model], list[str]] = {
    UserSubscription: ["stripe_customer_id", "stripe_subscription_id", "stripe_checkout_session_id"],
    PaymentTransaction: ["stripe_object_id", "invoice_url", "invoice_pdf"],
}


def billing_data_of(user: AbstractBaseUser, *, with_stripe: bool = False) -> dict[str, Any]:
    """Return what is kept about the user, oldest first; Stripe's ids and invoice links `with_stripe` alone."""
    with suppress(UsageUnavailable):  # then the database is what there is
        flush_usage()

    def rows(model: type[Model], order: str, **more: F) -> list[dict[str, Any]]:
        names = [*GIVEN[model], *(OF_STRIPE.get(model, []) if with_stripe else [])]
        mine: QuerySet[Any] = model._default_manager.filter(user_id=user.pk)
        return list(mine.order_by(order, "pk").values(*names, **more))

    plans = {
        "plan_slug": F("plan__slug"),
        "plan_name": F("plan__name"),
        "price_cents": F("plan__price_cents"),
        "currency": F("plan__currency"),
        "interval": F("plan__interval"),
        "pending_plan_slug": F("pending_plan__slug"),
    }
    kind = {"kind_app": F("content_type__app_label"), "kind": F("content_type__model")}
    return {
        "user": {"id": str(user.pk), "username": user.get_username()},
        "subscription": next(iter(rows(UserSubscription, "created_at", **plans)), None),
        "usage": rows(UsageRecord, "billing_period_start"),
        "reservations": rows(UsageReservation, "created_at"),
        "usage_alerts": rows(UsageAlert, "created_at"),
        "refusals": rows(UsageRefusal, "created_at"),
        "extra_allowances": rows(ExtraAllowance, "created_at"),
        "usage_corrections": rows(UsageCorrection, "created_at"),
        "emails": rows(Notification, "created_at"),
        "email_preference": next(iter(rows(EmailPreference, "updated_at")), None),
        "payments": rows(PaymentTransaction, "created_at", plan_slug=F("plan__slug")),
        "transcription_jobs": rows(TranscriptionJob, "created_at", **kind),
    }
