from __future__ import annotations

import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import BillingAdmin
from django_videoq_billing.models import JobRun


@admin.register(JobRun)
class JobRunAdmin(BillingAdmin[JobRun]):
    """How the last run of each job ended, to look at. The rows are made by running."""

    list_display = ("name", "started_at", "outcome", "done", "failures", "succeeded_at")
    list_filter = ("outcome",)
    fields = (
        "name",
        "started_at",
        "finished_at",
        "succeeded_at",
        "outcome",
        "done",
        "failures",
        "error",
        "leased_until",
        "shown_report",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: JobRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: JobRun | None = None) -> bool:
        return False

    @admin.display(description=_("report"))
    def shown_report(self, row: JobRun) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(row.report, indent=2, ensure_ascii=False))
