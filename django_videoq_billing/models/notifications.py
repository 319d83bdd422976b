from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.choices import MetricChoice
from django_videoq_billing.models.fields import ExactCharField
from django_videoq_billing.models.indexes import OpenRowsIndex


class NotificationQuerySet(models.QuerySet["Notification"]):
    def due(self, now: datetime) -> NotificationQuerySet:
        """What is to be sent: new ones, failed ones whose time has come, and those of a sender that died."""
        waiting = Q(state=Notification.State.WAITING, next_attempt_at__lte=now)
        abandoned = Q(state=Notification.State.SENDING, leased_until__lte=now)
        return self.filter(waiting | abandoned)


class Notification(models.Model):
    """The outbox: an e-mail that a user is to have, written down together with what it tells of.

    One row for each user, kind and key, whoever races. The row holds the facts of that moment; what else the
    e-mail says is read when it is sent, and what is not true any more by then is skipped.
    """

    class Kind(models.TextChoices):
        UPGRADE_CONFIRMED = "upgrade_confirmed", _("upgrade confirmed")
        DOWNGRADE_SCHEDULED = "downgrade_scheduled", _("downgrade scheduled")
        DOWNGRADE_DONE = "downgrade_done", _("downgrade done")
        CANCELLATION_SCHEDULED = "cancellation_scheduled", _("cancellation scheduled")
        CANCELLATION_DONE = "cancellation_done", _("cancellation done")
        REACTIVATED = "reactivated", _("reactivated")
        PAYMENT_FAILED = "payment_failed", _("payment failed")
        PAYMENT_AUTHENTICATION = "payment_authentication", _("payment needs authentication")
        GRACE_ENDED = "grace_ended", _("grace period ended")
        TRIAL_ENDING = "trial_ending", _("trial ending")
        REFUND = "refund", _("refund")
        USAGE_WARNING = "usage_warning", _("usage warning")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="billing_notifications",
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=30, choices=Kind.choices)
    key = ExactCharField(
        _("key"), max_length=100, help_text=_("What the e-mail is about: a second one with it is not made.")
    )
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True, default="")
    created_at = models.DateTimeField(_("created at"))
    settled_at = models.DateTimeField(
        _("settled at"), null=True, blank=True, help_text=_("When it was sent, skipped or given up.")
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            OpenRowsIndex(
                fields=["next_attempt_at"],
                condition=Q(state__in=["waiting", "sending"]),
                told_by="state",
                name="vqb_notification_open",
            ),
            models.Index(
                fields=["settled_at"], condition=Q(settled_at__isnull=False), name="vqb_notification_settled"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "key"], name="vqb_notification_once_per_fact")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"


class EmailPreference(models.Model):
    """What a user has chosen about our e-mails: the language last used here, and which kinds are unwanted."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="billing_email_preference",
        verbose_name=_("user"),
    )
    language = models.CharField(_("language"), max_length=20, blank=True, default="")
    unsubscribed = models.JSONField(_("unsubscribed"), default=list, blank=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("e-mail preference")
        verbose_name_plural = _("e-mail preferences")

    def __str__(self) -> str:
        return str(self.user)


class UsageAlert(models.Model):
    """That a user's usage of a metric reached a threshold in a period: noticed once, whoever races.

    The limit of that moment is kept, because a raised limit makes room for lower thresholds that were
    never told of; what was told is not told again.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="usage_alerts",
        verbose_name=_("user"),
    )
    metric = models.CharField(_("metric"), max_length=20, choices=MetricChoice.choices)
    period_start = models.DateTimeField(_("period start"))
    period_end = models.DateTimeField(_("period end"))
    threshold = models.PositiveSmallIntegerField(_("threshold"), help_text=_("In percent of the limit."))
    used = models.PositiveBigIntegerField(_("used"))
    limit = models.PositiveBigIntegerField(_("limit"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("usage alert")
        verbose_name_plural = _("usage alerts")
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["period_end"], name="vqb_alert_period_end")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "metric", "period_start", "threshold"], name="vqb_alert_once_per_threshold"
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")),
                name="vqb_alert_period_ends_after_start",
                violation_error_message=_("The period must end after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.threshold} %"
