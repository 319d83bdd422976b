from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import quote, unquote
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Field, ProtectedError, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst, format_lazy
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.audit import changes_link, write_down
from django_videoq_billing.admin.base import limit_text
from django_videoq_billing.admin.moves import MovesAdmin
from django_videoq_billing.admin.plan_moves import MOVES, copied, duplicate_plan
from django_videoq_billing.admin.plan_sync import may_sync, sync_view
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
class SubscriptionPlanAdmin(MovesAdmin[SubscriptionPlan]):
    moves = MOVES
    change_list_template = "admin/videoq_billing/links_change_list.html"
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
    actions = (
        "activate",
        "deactivate",
        "list_publicly",
        "hide",
        "duplicate",
        "sync_to_stripe",
        "delete_selected",
    )
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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(sync_view, self))
        return [path("sync/", view, name="videoq_billing_subscriptionplan_sync"), *super().get_urls()]

    def response_add(
        self, request: HttpRequest, obj: SubscriptionPlan, post_url_continue: str | None = None
    ) -> HttpResponse:
        """A plan that was made for one user goes on to that user."""
        user = request.GET.get("for_user")
        if user and request.user.has_perm("videoq_billing.assign_plan"):
            return HttpResponseRedirect(f"{self.move_url(obj, 'assign')}?{urlencode({'user': user})}")
        return super().response_add(request, obj, post_url_continue)

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return may_sync(request)

    @admin.action(permissions=["change"], description=_("Activate"))
    def activate(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> None:
        self._switch(request, plans, is_active=True)

    @admin.action(permissions=["change"], description=_("Deactivate: whoever has the plan keeps it"))
    def deactivate(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> None:
        self._switch(request, plans, is_active=False)

    @admin.action(permissions=["change"], description=_("List publicly"))
    def list_publicly(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> None:
        self._switch(request, plans, is_public=True)

    @admin.action(permissions=["change"], description=_("Hide from the list"))
    def hide(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> None:
        self._switch(request, plans, is_public=False)

    def _switch(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan], **value: bool) -> None:
        """Save those that differ, each by itself: what listens to a plan hears of it."""
        [(name, wanted)] = value.items()
        changed = list(plans.exclude(**value))
        for plan in changed:
            setattr(plan, name, wanted)
            plan.save(update_fields=[name, "updated_at"])
        write_down(request, changed, format_lazy(_("{field} is now {value}."), field=name, value=wanted))
        sentence = ngettext("%(count)d plan was changed.", "%(count)d plans were changed.", len(changed))
        self.message_user(request, sentence % {"count": len(changed)}, messages.SUCCESS)

    @admin.action(permissions=["add"], description=_("Duplicate"))
    def duplicate(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> None:
        for plan in plans:
            write_down(request, [duplicate_plan(plan)], copied(plan))
        self.message_user(request, _("The copies are inactive and not listed."), messages.SUCCESS)

    @admin.action(permissions=["sync"], description=_("Sync all plans to Stripe …"))
    def sync_to_stripe(self, request: HttpRequest, plans: QuerySet[SubscriptionPlan]) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:videoq_billing_subscriptionplan_sync"))

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
        links = [*changes_link(self.admin_site, request)]
        if may_sync(request):
            sync = reverse(f"{self.admin_site.name}:videoq_billing_subscriptionplan_sync")
            links.append((_("Sync to Stripe …"), sync))
        try:
            return super().changelist_view(request, {"links": links, **(extra_context or {})})
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
