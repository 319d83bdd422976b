from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.db import router, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_videoq_billing.admin.audit import write_down
from django_videoq_billing.admin.base import BillingAdmin
from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import PaymentTransaction, UserSubscription, WebhookEvent
from django_videoq_billing.webhooks import inbox

HIDDEN = "•••"

TROUBLE = timedelta(hours=1)

AT_ONCE = 100
"""How many events one click works on where no worker does."""

# Fields of Stripe's objects that tell who somebody is, or open a page without a password.
_PRIVATE = re.compile(
    r"(^|_)(name|phone|line1|line2|city|postal_code|state|ip_address|iban|last4|fingerprint|exp_month|exp_year"
    r"|routing_number|sort_code|value|secret|token|url|pdf)$"
)
_EMAIL = re.compile(r"([^\s@<>\"',;:]{1,2})[^\s@<>\"',;:]*@([^\s@<>\"',;:]+)")
_STRIPE_ID = re.compile(
    r"\b([a-z]{2,}(?:_[a-z]+)*_)(?=[A-Za-z0-9_]*[A-Z0-9])[A-Za-z0-9_]{4,}([A-Za-z0-9]{4})\b"
)
_CARD = re.compile(r"\b(?:\d[ -]?){12,18}\d\b")


@admin.register(WebhookEvent)
class WebhookEventAdmin(BillingAdmin[WebhookEvent]):
    """The inbox, to look at. What it holds is Stripe's word; it can only be processed once more."""

    list_display = ("created_at", "type", "state", "attempts", "short_error", "next_attempt_at")
    list_filter = ("state", "type", "created_at")
    date_hierarchy = "created_at"
    search_fields = ("stripe_event_id", "type", "error")
    search_help_text = _("Stripe's id of the event, type or error")
    show_full_result_count = False  # one row for every event, for ever
    change_form_template = "admin/videoq_billing/moves_change_form.html"
    change_list_template = "admin/videoq_billing/links_change_list.html"
    actions = ("process_again", "ignore")
    fields = (
        "stripe_event_id",
        "type",
        "state",
        "attempts",
        "error",
        "created_at",
        "received_at",
        "processed_at",
        "next_attempt_at",
        "leased_until",
        "mirrored_at",
        "pruned_at",
        "shown_payload",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        return super().get_queryset(request).defer("payload")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEvent | None = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("videoq_billing.replay_events")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with a word in red where something has been failing for an hour."""
        since = timezone.now() - TROUBLE
        count = WebhookEvent.objects.filter(state=WebhookEvent.State.FAILED, received_at__lte=since).count()
        notice = {"text": _trouble(count), "url": "?state__exact=failed"} if count else None
        return super().changelist_view(request, {"notice": notice, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """The page, with links to what the event is about, for whoever may see it."""
        event = kwargs.get("obj")
        if event is not None:
            admins = [(row, self.admin_site.get_model_admin(type(row))) for row in touched_by(event)]
            seen = [row for row, its_admin in admins if its_admin.has_view_permission(request, row)]
            context["links"] = [(f"{capfirst(row._meta.verbose_name)}: {row}", _page(row)) for row in seen]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("error"))
    def short_error(self, event: WebhookEvent) -> str:
        return event.error.partition("\n")[0][:100]

    @admin.display(description=_("payload"))
    def shown_payload(self, event: WebhookEvent) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(masked(event.payload), indent=2, ensure_ascii=False))

    @admin.action(description=_("Process the selected events again"), permissions=["replay"])
    def process_again(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        """Safe: a handler fetches Stripe's present state and writes each thing once."""
        write_down(request, events.only("pk", "type", "state"), _("To be processed again."))
        count = inbox.replay(events)
        inline = get_settings().WEBHOOK_PROCESSING == "inline"
        work = partial(inbox.process_due, AT_ONCE) if inline else inbox.tell_worker
        transaction.on_commit(work, using=router.db_for_write(WebhookEvent))
        sentence = ngettext(
            "%(count)d event will be processed again.", "%(count)d events will be processed again.", count
        )
        self.message_user(request, sentence % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Ignore the selected events"), permissions=["replay"])
    def ignore(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        """For what can never succeed. Nothing is deleted; "process again" takes it back."""
        waiting = events.filter(state__in=WebhookEvent.WAITING)
        write_down(request, waiting.only("pk", "type", "state"), _("Ignored."))
        count = inbox.ignore(events)
        sentence = ngettext("%(count)d event is left alone.", "%(count)d events are left alone.", count)
        self.message_user(request, sentence % {"count": count}, messages.SUCCESS)


def touched_by(event: WebhookEvent) -> list[Model]:
    """Return the subscription of the event's customer, and the lines of the ledger about its object."""
    found: list[Model] = []
    if event.customer_id:
        rows = UserSubscription.objects.select_related("user", "plan")
        found += rows.filter(stripe_customer_id=event.customer_id)
    subject = event.payload["data"]["object"]
    named = [subject.get(name) for name in ("id", "invoice", "charge")]
    ids = [name for name in named if isinstance(name, str) and name]
    return [*found, *PaymentTransaction.objects.filter(stripe_object_id__in=ids)[:20]]


def _page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def _trouble(count: int) -> str:
    sentence = ngettext(
        "%(count)d event has been failing for more than an hour.",
        "%(count)d events have been failing for more than an hour.",
        count,
    )
    return sentence % {"count": count}


def masked(value: Any, key: str = "") -> Any:
    """Return an event's JSON without what it says about people: enough to see what happened, and no more."""
    if isinstance(value, Mapping):
        return {name: masked(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, key) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if _PRIVATE.search(key):
        return HIDDEN
    return _masked_text(value) if isinstance(value, str) else value


def _masked_text(text: str) -> str:
    text = _EMAIL.sub(rf"\1{HIDDEN}@\2", text)
    text = _CARD.sub(HIDDEN, text)
    return _STRIPE_ID.sub(rf"\1{HIDDEN}\2", text)
