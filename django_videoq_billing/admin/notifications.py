from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.models import EmailPreference, Notification, UsageAlert
from django_videoq_billing.services import notifications


@admin.register(Notification)
class NotificationAdmin(HistoryAdmin[Notification]):
    """The outbox, to look at. What was given up can be sent after all."""

    list_display = ("created_at", "user", "kind", "state", "attempts", "short_error", "settled_at")
    list_filter = ("state", "kind", "created_at")
    date_hierarchy = "created_at"
    actions = ("send_again",)
    fields = (
        "user",
        "kind",
        "key",
        "facts",
        "state",
        "attempts",
        "error",
        "created_at",
        "next_attempt_at",
        "leased_until",
        "settled_at",
        "message_id",
    )

    def has_sending_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("videoq_billing.change_notification")

    @admin.display(description=_("error"))
    def short_error(self, notification: Notification) -> str:
        return notification.error.partition("\n")[0][:100]

    @admin.action(description=_("Send those that failed again"), permissions=["sending"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Notification]) -> None:
        count = notifications.send_again(chosen)
        sentence = ngettext(
            "%(count)d e-mail will be sent again.", "%(count)d e-mails will be sent again.", count
        )
        self.message_user(request, sentence % {"count": count}, messages.SUCCESS)


@admin.register(UsageAlert)
class UsageAlertAdmin(HistoryAdmin[UsageAlert]):
    """What users were warned of."""

    list_display = ("created_at", "user", "metric", "threshold", "used", "limit", "period_end")
    list_filter = ("metric", "threshold", "created_at")
    date_hierarchy = "created_at"
    fields = ("user", "metric", "threshold", "used", "limit", "period_start", "period_end", "created_at")


@admin.register(EmailPreference)
class EmailPreferenceAdmin(HistoryAdmin[EmailPreference]):
    """What users have chosen by using the site, and by the link in an e-mail."""

    list_display = ("user", "language", "unsubscribed", "updated_at")
    list_filter = ("language",)
    fields = ("user", "language", "unsubscribed", "updated_at")
