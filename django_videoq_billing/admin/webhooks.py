from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_videoq_billing.admin.base import BillingAdmin
from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.webhooks import inbox

HIDDEN = "•••"

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
    actions = ("process_again",)
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
        return super().has_change_permission(request)

    @admin.display(description=_("error"))
    def short_error(self, event: WebhookEvent) -> str:
        return event.error.partition("\n")[0][:100]

    @admin.display(description=_("payload"))
    def shown_payload(self, event: WebhookEvent) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(masked(event.payload), indent=2, ensure_ascii=False))

    @admin.action(description=_("Process the selected events again"), permissions=["replay"])
    def process_again(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        """Safe: a handler fetches Stripe's present state and writes each thing once."""
        count = inbox.replay(events)
        inline = get_settings().WEBHOOK_PROCESSING == "inline"
        work = partial(inbox.process_due, AT_ONCE) if inline else inbox.tell_worker
        transaction.on_commit(work, using=router.db_for_write(WebhookEvent))
        sentence = ngettext(
            "%(count)d event will be processed again.", "%(count)d events will be processed again.", count
        )
        self.message_user(request, sentence % {"count": count}, messages.SUCCESS)


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
