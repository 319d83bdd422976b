from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import OwnedByUserAdmin
from django_videoq_billing.exceptions import BillingError, Conflict
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan
from django_videoq_billing.services.subscriptions import assign_plan

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
class UserSubscriptionAdmin(OwnedByUserAdmin[UserSubscription]):
    """Plans are given here without payment. What Stripe bills is changed at Stripe."""

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
        (None, {"fields": ("user", "plan", "effective_plan", "status", "billed_by")}),
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
