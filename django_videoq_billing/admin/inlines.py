"""Subscription and usage on the page of a user: `inlines = [*BILLING_INLINES]` in the project's own user admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import usage_text
from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.models import UsageRecord, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric

SHOWN = timedelta(days=370)
"""How far back the usage goes on a user's page; the rest has a list of its own."""

if TYPE_CHECKING:
    Stacked = admin.StackedInline[UserSubscription, Any]
    Tabular = admin.TabularInline[UsageRecord, Any]
else:
    Stacked, Tabular = admin.StackedInline, admin.TabularInline


class LookOnly:
    """To look at, on the page of a user who is there already."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        parent: Any = super()
        return obj is not None and bool(parent.has_view_permission(request, obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Django's own asks once more for the permission, without saying on whose page."""
        inline: Any = self
        rows: QuerySet[Any] = inline.model._default_manager.order_by(*inline.get_ordering(request))
        return rows.select_related("user")


class SubscriptionInline(LookOnly, Stacked):
    model = UserSubscription
    verbose_name_plural = _("subscription")
    fields = ("plan", "limits_from", "status", "period", "videos", "transcription", "support")
    readonly_fields = fields

    @admin.display(description=_("limits now come from"))
    def limits_from(self, row: UserSubscription) -> str:
        return effective_plan(row).name

    @admin.display(description=_("period"))
    def period(self, row: UserSubscription) -> str:
        return f"{row.current_period_start:%Y-%m-%d} - {row.current_period_end:%Y-%m-%d}"

    @admin.display(description=_("videos in this period"))
    def videos(self, row: UserSubscription) -> str | Promise:
        return used_text(row, Metric.VIDEO)

    @admin.display(description=_("transcription seconds in this period"))
    def transcription(self, row: UserSubscription) -> str | Promise:
        return used_text(row, Metric.TRANSCRIPTION)

    @admin.display(description=_("support"))
    def support(self, row: UserSubscription) -> SafeString:
        site = self.admin_site.name
        page = reverse(f"{site}:videoq_billing_usersubscription_change", args=[quote(row.pk)])
        timeline = reverse(f"{site}:videoq_billing_usersubscription_timeline", args=[quote(row.pk)])
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
            page,
            _("Plan, allowances, corrections, cancelling"),
            timeline,
            _("Time line"),
        )


class UsageInline(LookOnly, Tabular):
    model = UsageRecord
    verbose_name_plural = _("usage of the last year")
    fields = ("billing_period_start", "billing_period_end", "videos", "transcription")
    readonly_fields = fields
    ordering = ("-billing_period_start",)
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageRecord]:
        rows: QuerySet[UsageRecord] = super().get_queryset(request)
        return rows.filter(billing_period_end__gte=timezone.now() - SHOWN)

    @admin.display(description=_("videos"))
    def videos(self, record: UsageRecord) -> str | Promise:
        return usage_text(record.video_count, record.video_limit, record.video_usage_percentage)

    @admin.display(description=_("transcription minutes"))
    def transcription(self, record: UsageRecord) -> str | Promise:
        return usage_text(
            record.transcription_minutes,
            record.transcription_limit_minutes,
            record.transcription_usage_percentage,
        )


BILLING_INLINES: tuple[type[Any], ...] = (SubscriptionInline, UsageInline)


def mount_on_stock_user_admin(site: admin.AdminSite) -> None:
    """Put the inlines on the user page where it is Django's own; a project with an admin of its own adds them."""
    model = get_user_model()
    if not site.is_registered(model):
        return
    user_admin: Any = site.get_model_admin(model)
    kind = type(user_admin)
    is_stock = f"{kind.__module__}.{kind.__qualname__}" == "django.contrib.auth.admin.UserAdmin"
    if is_stock and SubscriptionInline not in user_admin.inlines:
        user_admin.inlines = [*user_admin.inlines, *BILLING_INLINES]


def used_text(row: UserSubscription, metric: Metric) -> str | Promise:
    """What the store counts now, extra allowances included; "-" where it does not answer, or counts nothing."""
    try:
        report = UsageTracker.report(row.user)
    except BillingError:
        return "-"
    if metric is Metric.VIDEO:
        return usage_text(report.counters.video_count, report.video_limit, report.video_usage_percentage)
    used, limit = report.counters.transcription_seconds, report.transcription_limit_seconds
    return usage_text(used, limit, report.transcription_usage_percentage)
