"""Plans to Stripe, from the admin: first a look at what would change, then the button."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.audit import write_down
from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.stripe_plans import PlanChange, push_plans

ACTIONS = {
    "create product": _("make a product"),
    "update product": _("change the product"),
    "create price": _("make a price"),
    "update price": _("change the price"),
    "archive price": _("archive a price"),
    "cannot archive price": _("a price cannot be archived"),
}
"""What Stripe would be told. Everything else (unchanged, not for sale) is no change."""


def may_sync(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("videoq_billing.sync_plans"))


def sync_view(model_admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """GET shows what would change and changes nothing; POST does it, for all plans: Stripe has one catalogue."""
    if not may_sync(request):
        raise PermissionDenied
    plans_page = reverse(f"{model_admin.admin_site.name}:videoq_billing_subscriptionplan_changelist")
    dry_run, done, error = request.method != "POST", list[PlanChange](), ""
    try:
        for change in push_plans(dry_run=dry_run):
            if change.action in ACTIONS:
                done.append(change)
    except BillingError as refusal:
        error = refusal.message
    if not dry_run:
        _report(model_admin, request, done, error)
        return HttpResponseRedirect(request.path if error else plans_page)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Sync to Stripe"),
        "opts": model_admin.opts,
        "changes": [(change.slug, ACTIONS[change.action], change.details) for change in done],
        "error": error,
        "plans_page": plans_page,
    }
    return TemplateResponse(request, "admin/videoq_billing/plan_sync.html", context)


def _report(model_admin: ModelAdmin[Any], request: HttpRequest, done: list[PlanChange], error: str) -> None:
    """What was done is written down, also where it broke off in the middle."""
    plans = SubscriptionPlan.objects.in_bulk({change.slug for change in done}, field_name="slug")
    for change in done:
        about = {"action": ACTIONS[change.action], "details": change.details}
        write_down(
            request, [plans[change.slug]], format_lazy(_("Synced to Stripe: {action} {details}"), **about)
        )
    if error:
        model_admin.message_user(request, error, messages.ERROR)
    else:
        model_admin.message_user(request, _("Stripe has the plans as they are here."), messages.SUCCESS)
