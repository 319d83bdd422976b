from __future__ import annotations

from django.contrib import admin

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.models import ExtraAllowance, UsageCorrection


@admin.register(ExtraAllowance)
class ExtraAllowanceAdmin(HistoryAdmin[ExtraAllowance]):
    """All of them, to look at. They are granted and revoked on the page of a user's subscription."""

    list_display = ("created_at", "user", "metric", "amount", "expires_at", "revoked_at", "author", "reason")
    list_filter = ("metric", "created_at", "expires_at")
    list_select_related = ("user", "author")
    date_hierarchy = "created_at"
    search_fields = ("reason",)
    fields = ("user", "metric", "amount", "reason", "author", "created_at", "expires_at", "revoked_at")


@admin.register(UsageCorrection)
class UsageCorrectionAdmin(HistoryAdmin[UsageCorrection]):
    """All of them, to look at. Usage is corrected on the page of a user's subscription."""

    list_display = ("created_at", "user", "metric", "before", "after", "author", "reason")
    list_filter = ("metric", "created_at")
    list_select_related = ("user", "author")
    date_hierarchy = "created_at"
    search_fields = ("reason",)
    fields = ("user", "metric", "period_start", "before", "after", "reason", "author", "created_at")
