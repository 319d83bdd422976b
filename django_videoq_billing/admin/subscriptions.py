from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.audit import changes_link, changes_view
from django_videoq_billing.admin.base import OwnedByUserAdmin
from django_videoq_billing.admin.inlines import mount_on_stock_user_admin, used_text
from django_videoq_billing.admin.moves import MovesAdmin
from django_videoq_billing.admin.subscription_moves import MOVES, allowance_text, running_allowances
from django_videoq_billing.admin.timeline import dashboard_url, timeline_view
from django_videoq_billing.exceptions import BillingError, Conflict
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.types import Metric

NOT_AT_STRIPE = Q(stripe_subscription_id__isnull=True) | Q(stripe_subscription_id="")


class BilledByFilter(admin.SimpleListFilter):
    title = _("biller")
    parameter_name = "billed_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("stripe", _("Stripe")), ("site", _("this site"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[UserSubscription]
    ) -> QuerySet[UserSubscription]:
        conditions = {"stripe": ~NOT_AT_STRIPE, "site": NOT_AT_STRIPE}
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(UserSubscription)
class UserSubscriptionAdmin(MovesAdmin[UserSubscription], OwnedByUserAdmin[UserSubscription]):
    """Support for one user. What Stripe bills is changed at Stripe, through the services."""

    moves = MOVES
    change_list_template = "admin/videoq_billing/links_change_list.html"

    list_display = (
        "user",
        "plan",
        "status",
        "billed_by",
        "current_period_start",
        "current_period_end",
        "ends",
    )
    list_filter = ("status", "plan", BilledByFilter, "cancel_at_period_end")
    list_select_related = ("user", "plan", "pending_plan")
    date_hierarchy = "current_period_end"
    search_fields = ("stripe_subscription_id", "stripe_customer_id")
    search_help_text = _("User name, e-mail address or Stripe id")
    ordering = ("-pk",)
    raw_id_fields = ("user",)
    add_fields = ("user", "plan")
    editable_fields = ("plan", "status", "cancel_at_period_end")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("user", "plan", "effective_plan", "assigned_until", "status", "billed_by"),
                    *("videos", "transcription", "allowances"),
                )
            },
        ),
        (
            _("Period"),
            {
                "fields": (
                    "current_period_start",
                    "current_period_end",
                    "period_anchor",
                    "cancel_at_period_end",
                    "cancelled_at",
                    "trial_end",
                    "grace_period_end",
                    "grace_extended_until",
                )
            },
        ),
        (_("Pending change"), {"fields": ("pending_plan", "pending_plan_effective_at")}),
        (
            _("Stripe"),
            {"fields": ("stripe_subscription_id", "stripe_customer_id", "created_at", "updated_at")},
        ),
    )

    @admin.display(description=_("billed by"), ordering="stripe_subscription_id")
    def billed_by(self, subscription: UserSubscription) -> str | Promise:
        return _("Stripe") if subscription.stripe_subscription_id else _("this site")

    @admin.display(description=_("ends"), ordering="cancel_at_period_end")
    def ends(self, subscription: UserSubscription) -> datetime | None:
        return subscription.current_period_end if subscription.cancel_at_period_end else None

    @admin.display(description=_("limits now come from"))
    def effective_plan(self, subscription: UserSubscription) -> str:
        return effective_plan(subscription).name

    @admin.display(description=_("videos in this period"))
    def videos(self, subscription: UserSubscription) -> str | Promise:
        return used_text(subscription, Metric.VIDEO)

    @admin.display(description=_("transcription seconds in this period"))
    def transcription(self, subscription: UserSubscription) -> str | Promise:
        return used_text(subscription, Metric.TRANSCRIPTION)

    @admin.display(description=_("extra allowances"))
    def allowances(self, subscription: UserSubscription) -> str:
        return "; ".join(map(allowance_text, running_allowances(subscription))) or "-"

    def get_urls(self) -> list[URLPattern]:
        """The inlines are mounted here: now the project's own admin is registered, whoever came first."""
        mount_on_stock_user_admin(self.admin_site)
        wrap = self.admin_site.admin_view
        return [
            path("changes/", wrap(partial(changes_view, self)), name="videoq_billing_changes"),
            path(
                "<path:object_id>/timeline/",
                wrap(partial(timeline_view, self)),
                name="videoq_billing_usersubscription_timeline",
            ),
            *super().get_urls(),
        ]

    def links_of(self, request: HttpRequest, row: UserSubscription) -> list[tuple[Any, str]]:
        site = self.admin_site.name
        timeline = reverse(f"{site}:videoq_billing_usersubscription_timeline", args=[quote(row.pk)])
        links: list[tuple[Any, str]] = [(_("Time line"), timeline)]
        may_make_plans = request.user.has_perms(
            ["videoq_billing.add_subscriptionplan", "videoq_billing.assign_plan"]
        )
        if may_make_plans and not row.is_billed:
            add = reverse(f"{site}:videoq_billing_subscriptionplan_add")
            links.append((_("New plan for this user"), f"{add}?is_public=&for_user={row.user_id}"))
        if address := dashboard_url(row.stripe_customer_id):
            links.append((_("Customer in Stripe"), address))
        return links

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"links": changes_link(self.admin_site, request), **(extra_context or {})}
        )

    def get_fieldsets(self, request: HttpRequest, obj: UserSubscription | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": self.add_fields})]
        (title, options), *others = self.fieldsets
        notice = Conflict.billed_by_stripe().message if obj.stripe_subscription_id else ""
        return [(title, {**options, "description": notice}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: UserSubscription | None = None) -> Any:
        if obj is None:
            return ()
        shown = [name for _title, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name not in self.editable_fields]

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Offer users by name where the project's user admin can search; otherwise their ids are typed."""
        user_model = get_user_model()
        if not self.admin_site.is_registered(user_model):
            return ()
        return ("user",) if self.admin_site.get_model_admin(user_model).get_search_fields(request) else ()

    def get_form(
        self, request: HttpRequest, obj: UserSubscription | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[UserSubscription]]:
        form = super().get_form(request, obj, change, **kwargs)
        plan = form.base_fields.get("plan")
        if isinstance(plan, forms.ModelChoiceField):
            offered = Q(is_active=True) | Q(pk=obj.plan_id if obj else None)
            plan.queryset = SubscriptionPlan.objects.filter(offered)
            # Plans have a page of their own; a delete button beside the choice is an accident waiting.
            widget: Any = plan.widget
            widget.can_add_related = widget.can_change_related = widget.can_delete_related = False
        return form

    def has_change_permission(self, request: HttpRequest, obj: UserSubscription | None = None) -> bool:
        billed_by_stripe = obj is not None and bool(obj.stripe_subscription_id)
        return not billed_by_stripe and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: UserSubscription, form: Any, change: bool) -> None:
        """Write only what was changed: the period may have rolled since the page was opened."""
        changed = [name for name in form.changed_data if name in self.editable_fields]
        if change:
            _check_not_billed_by_stripe(obj)
        if "plan" in changed:
            obj.pk = assign_plan(obj.user, obj.plan).pk
            changed.remove("plan")
        if "cancel_at_period_end" in changed:
            obj.cancelled_at = timezone.now() if obj.cancel_at_period_end else None
            changed.append("cancelled_at")
        if changed:
            obj.save(update_fields=[*changed, "updated_at"])
        obj.refresh_from_db()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except BillingError as refusal:  # everything was rolled back
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def _check_not_billed_by_stripe(subscription: UserSubscription) -> None:
    """Lock the row and look again: a checkout may have been completed since the page was opened."""
    row = UserSubscription.objects.select_for_update().get(pk=subscription.pk)
    if row.stripe_subscription_id:
        raise Conflict.billed_by_stripe()
