from __future__ import annotations

from django.contrib import admin

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.models import ExtraAllowance, UsageCorrection, UsageRefusal


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


@admin.register(UsageRefusal)
class UsageRefusalAdmin(HistoryAdmin[UsageRefusal]):
    """Who was refused for a limit: the first time in each hour."""

    list_display = ("created_at", "user", "metric", "used", "amount", "limit")
    list_filter = ("metric", "created_at")
    date_hierarchy = "created_at"
    fields = ("user", "metric", "used", "amount", "limit", "created_at")
