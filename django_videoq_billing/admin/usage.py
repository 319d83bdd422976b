from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import HistoryAdmin, usage_text
from django_videoq_billing.models import UsageRecord, UsageReservation


class LimitFilter(admin.SimpleListFilter):
    title = _("limit")
    parameter_name = "limit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("reached", _("reached")), ("passed", _("passed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        comparison = {"reached": "gte", "passed": "gt"}.get(self.value() or "")
        if comparison is None:
            return queryset
        return queryset.filter(
            Q(**{f"video_count__{comparison}": F("video_limit")})
            | Q(**{f"transcription_seconds__{comparison}": F("transcription_limit_seconds")})
        )


@admin.register(UsageRecord)
class UsageRecordAdmin(HistoryAdmin[UsageRecord]):
    list_display = ("user", "billing_period_start", "billing_period_end", "videos", "transcription")
    list_filter = (LimitFilter, "billing_period_start")
    date_hierarchy = "billing_period_start"
    fieldsets = (
        (None, {"fields": ("user", "billing_period_start", "billing_period_end")}),
        (_("Videos"), {"fields": ("videos", "video_overage", "last_video_uploaded_at")}),
        (
            _("Transcription"),
            {"fields": ("transcription", "transcription_overage_seconds", "last_transcription_at")},
        ),
        (_("Recorded"), {"fields": ("created_at", "updated_at")}),
    )

    @admin.display(description=_("videos"), ordering="video_count")
    def videos(self, record: UsageRecord) -> str | Promise:
        return usage_text(record.video_count, record.video_limit, record.video_usage_percentage)

    @admin.display(description=_("transcription minutes"), ordering="transcription_seconds")
    def transcription(self, record: UsageRecord) -> str | Promise:
        return usage_text(
            record.transcription_minutes,
            record.transcription_limit_minutes,
            record.transcription_usage_percentage,
        )

    @admin.display(description=_("videos over the limit"))
    def video_overage(self, record: UsageRecord) -> int:
        return record.video_overage

    @admin.display(description=_("seconds over the limit"))
    def transcription_overage_seconds(self, record: UsageRecord) -> int:
        return record.transcription_overage_seconds


@admin.register(UsageReservation)
class UsageReservationAdmin(HistoryAdmin[UsageReservation]):
    list_display = (
        "user",
        "metric",
        "amount",
        "settled_amount",
        "state",
        "expires_at",
    )
    list_filter = ("state", "metric", "expires_at")
    search_fields = ("key", "id__startswith")
    search_help_text = _("User name, e-mail address, client key or id")
    fields = (
        "id",
        "user",
        "record",
        "metric",
        "amount",
        "settled_amount",
        "state",
        "key",
        "created_at",
        "expires_at",
        "settled_at",
    )
