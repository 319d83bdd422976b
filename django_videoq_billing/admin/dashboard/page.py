from __future__ import annotations

import csv
from datetime import UTC, date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import BillingAdmin
from django_videoq_billing.admin.dashboard.buckets import buckets
from django_videoq_billing.admin.dashboard.charts import charts
from django_videoq_billing.admin.dashboard.tiles import close_users, tiles
from django_videoq_billing.models import DailyFigures, SubscriptionPlan
from django_videoq_billing.services.figures import Report, flat, report

PERMISSION = "videoq_billing.view_dashboard"
USUAL = timedelta(days=89)
LONGEST = timedelta(days=3660)
LATE = timedelta(hours=3)
RANGES = ((30, _("30 days")), (90, _("90 days")), (365, _("12 months")))


class RangeForm(forms.Form):
    """The days to show, both ends included, and the currency that the charts of money are in."""

    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))
    currency = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and since > until:
            raise ValidationError(_("The first day must not lie after the last."))
        if since and until and until - since > LONGEST:
            raise ValidationError(_("Ten years at most."))
        return given


@admin.register(DailyFigures)
class DashboardAdmin(BillingAdmin[DailyFigures]):
    """Its list is the dashboard: so it stands in the index, and any admin site has it."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def has_view_permission(self, request: HttpRequest, obj: DailyFigures | None = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DailyFigures | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DailyFigures | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        today = now.astimezone(UTC).date()
        usual = {"since": (today - USUAL).isoformat(), "until": today.isoformat()}
        form = RangeForm({**usual, **{name: value for name, value in request.GET.items() if value}})
        chosen: dict[str, Any] = (
            form.cleaned_data if form.is_valid() else {"since": today - USUAL, "until": today}
        )
        found = report(chosen["since"], chosen["until"])
        if request.GET.get("format") == "csv" and form.is_valid():
            return _csv(found)
        currency = chosen.get("currency", "")
        if currency not in found.currencies:
            currency = found.main_currency()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dashboard"),
            "opts": self.opts,
            "form": form,
            "found": found,
            "currency": currency,
            "ranges": _ranges(found, today, currency),
            "late": found.latest is not None
            and found.until >= today
            and now - (found.latest.measured_at or now) > LATE,
            "tiles": tiles(found, currency),
            "charts": charts(found, currency, buckets(found.all_days), list(SubscriptionPlan.objects.all())),
            "close": close_users(request, now),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/videoq_billing/dashboard.html", context)


def _ranges(found: Report, today: date, currency: str) -> list[dict[str, Any]]:
    shown = []
    for days, label in RANGES:
        since = today - timedelta(days=days - 1)
        shown.append(
            {
                "label": label,
                "query": f"?since={since}&until={today}&currency={currency}",
                "current": (found.since, found.until) == (since, today),
            }
        )
    return shown


def _csv(found: Report) -> HttpResponse:
    """Every figure of every day, one a line; money in the currency's minor unit."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="dashboard-{found.since}-{found.until}.csv"'
    writer = csv.writer(response)
    writer.writerow(["date", "figure", "of", "value"])
    for day, figure, of, value in flat(found):
        writer.writerow([day, figure, of, "" if value is None else value])
    return response
