"""The time line of a user, for whoever may see what it is made of, and the way to Stripe's dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.stripe_service.client import live_mode
from django_videoq_billing.services.timeline import SOURCES, Line, timeline


def timeline_view(model_admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    row: Any = model_admin.get_object(request, unquote(object_id))
    if row is None:
        raise Http404
    if not model_admin.has_view_or_change_permission(request, row):
        raise PermissionDenied
    seen = [
        name
        for name, source in SOURCES.items()
        if request.user.has_perm(f"videoq_billing.view_{source.model}") or source.model == "usersubscription"
    ]
    before = request.GET.get("before", "")
    page = timeline(row, sources=seen, before=before)
    site = model_admin.admin_site
    context = {
        **site.each_context(request),
        "title": _("Time line"),
        "subtitle": str(row.user),
        "opts": model_admin.opts,
        "original": row,
        "page_url": reverse(f"{site.name}:videoq_billing_usersubscription_change", args=[quote(row.pk)]),
        "lines": [_shown(site.name, line) for line in page.lines],
        "older": page.older,
        "is_first": not before,
        "hidden": len(seen) < len(SOURCES),
    }
    return TemplateResponse(request, "admin/videoq_billing/timeline.html", context)


def _shown(site: str, line: Line) -> dict[str, Any]:
    model = SOURCES[line.source].model
    url = ""
    if line.source != "change":  # one sees that already: it is about this very row
        url = reverse(f"{site}:videoq_billing_{model}_change", args=[quote(line.row.pk)])
    return {
        "at": line.at,
        "source": line.source,
        "kind": line.kind,
        "text": line.text,
        "detail": line.detail,
        "url": url,
    }


def dashboard_url(customer_id: str | None) -> str:
    """Return the customer's page in Stripe's dashboard, of the test or the live mode; "" where there is none."""
    if not customer_id or get_settings().STRIPE_API_BASE:  # a local sandbox has no dashboard
        return ""
    mode = "" if live_mode() else "test/"
    return f"https://dashboard.stripe.com/{mode}customers/{customer_id}"
