from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import quote, unquote
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Field, ProtectedError, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import BillingAdmin, limit_text
from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan, UserSubscription


class LinesField(forms.Field):
    """A list of texts, edited one per line."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[str]:
        text = str(value or "")
        ProhibitNullCharactersValidator()(text)
        return [line.strip() for line in text.splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


@admin.register(SubscriptionPlan)
class SubscriptionPlanAdmin(BillingAdmin[SubscriptionPlan]):
    list_display = (
        "name",
        "slug",
        "price_display",
        "video_limit_display",
        "transcription_limit_display",
        "is_active",
        "is_public",
        "described_in_settings",
    )
    list_filter = ("is_active", "is_public", "interval")
    actions = ("delete_selected",)
    search_fields = ("name", "slug", "description")
    ordering = ("sort_order", "pk")
    readonly_fields = (
        "described_in_settings",
        "stripe_price_id",
        "stripe_product_id",
        "created_at",
        "updated_at",
    )
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", "features", "described_in_settings")}),
        (_("Price"), {"fields": ("price_cents", "currency", "interval", "trial_days")}),
        (_("Limits"), {"fields": ("video_limit", "transcription_limit_minutes", "feature_flags")}),
        (_("Availability"), {"fields": ("is_active", "is_public", "sort_order")}),
        (
            _("Stripe"),
            {"fields": ("stripe_price_id", "stripe_product_id", "created_at", "updated_at")},
        ),
    )

    @admin.display(description=_("price"), ordering="price_cents")
    def price_display(self, plan: SubscriptionPlan) -> str | Promise:
        if plan.is_free:
            return _("Free")
        price = {"price": plan.price_text(get_language() or "en")}
        if plan.interval == SubscriptionPlan.Interval.YEAR:
            return _("%(price)s per year") % price
        return _("%(price)s per month") % price

    @admin.display(description=_("videos"), ordering="video_limit")
    def video_limit_display(self, plan: SubscriptionPlan) -> str | Promise:
        return limit_text(plan.video_limit)

    @admin.display(description=_("minutes"), ordering="transcription_limit_minutes")
    def transcription_limit_display(self, plan: SubscriptionPlan) -> str | Promise:
        return limit_text(plan.transcription_limit_minutes)

    @admin.display(description=_("from the settings"), boolean=True)
    def described_in_settings(self, plan: SubscriptionPlan) -> bool:
        return plan.slug in get_settings().PLANS

    def get_readonly_fields(
        self, request: HttpRequest, obj: SubscriptionPlan | None = None
    ) -> tuple[str, ...]:
        """The slug is what settings, API and host code know a plan by: it is chosen once."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: SubscriptionPlan | None = None
    ) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if db_field.name == "features":
            help_text = _("One per line, for the plan's card; where empty they are written from the limits.")
            return LinesField(required=False, label=capfirst(db_field.verbose_name), help_text=help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: SubscriptionPlan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if self.described_in_settings(obj):
            sentence = _("The settings describe this plan: seed_plans will put their values back.")
            self.message_user(request, sentence, messages.WARNING)

    @admin.action(permissions=["delete"], description=_("Delete selected %(verbose_name_plural)s"))
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[SubscriptionPlan]
    ) -> HttpResponse | None:
        return None if self._refuse(request, queryset) else delete_selected(self, request, queryset)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        plan = self.get_object(request, unquote(object_id))
        if plan and self.has_delete_permission(request, plan) and self._refuse(request, [plan]):
            change_page = reverse("admin:videoq_billing_subscriptionplan_change", args=[quote(plan.pk)])
            return HttpResponseRedirect(change_page)
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError:
            return self._came_into_use(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except ProtectedError:
            return self._came_into_use(request)

    def _refuse(self, request: HttpRequest, plans: Iterable[SubscriptionPlan]) -> bool:
        """Say which of the plans are in use, where Django would list everybody who has them."""
        refusals = _refusals(plans)
        for refusal in refusals:
            self.message_user(request, refusal, messages.ERROR)
        return bool(refusals)

    def _came_into_use(self, request: HttpRequest) -> HttpResponse:
        """Somebody subscribed between the question and the answer."""
        sentence = _("Nothing was deleted: a subscription has just begun to use the plan.")
        self.message_user(request, sentence, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


def _refusals(plans: Iterable[SubscriptionPlan]) -> list[str]:
    return [
        ngettext(
            "%(count)d subscription uses the plan “%(plan)s”. Make the plan inactive instead: "
            "it is no longer offered, and those who have it keep it.",
            "%(count)d subscriptions use the plan “%(plan)s”. Make the plan inactive instead: "
            "it is no longer offered, and those who have it keep it.",
            count,
        )
        % {"count": count, "plan": plan.name}
        for plan in plans
        if (count := UserSubscription.objects.filter(Q(plan=plan) | Q(pending_plan=plan)).count())
    ]
