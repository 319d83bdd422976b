"""What the people who support users have done by hand: each with its reason and its author."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_videoq_billing.models.choices import MetricChoice


class ExtraAllowanceQuerySet(models.QuerySet["ExtraAllowance"]):
    def running(self, now: datetime) -> ExtraAllowanceQuerySet:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class ExtraAllowance(models.Model):
    """What a user may use beyond the plan's limit until a moment; it raises the limit, and counts nothing."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="extra_allowances",
        verbose_name=_("user"),
    )
    metric = models.CharField(_("metric"), max_length=20, choices=MetricChoice.choices)
    amount = models.PositiveBigIntegerField(
        pgettext_lazy("of usage", "amount"), help_text=_("Videos, or seconds of transcription.")
    )
    reason = models.CharField(_("reason"), max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ExtraAllowanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("extra allowance")
        verbose_name_plural = _("extra allowances")
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__gte=1),
                name="vqb_extra_amount_positive",
                violation_error_message=_("The amount must be at least 1."),
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="vqb_extra_has_reason",
                violation_error_message=_("Say why."),
            ),
        ]

    def __str__(self) -> str:
        return f"+{self.amount} {self.metric}"


class UsageCorrection(models.Model):
    """That somebody corrected a counter, from what to what, and why."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="usage_corrections",
        verbose_name=_("user"),
    )
    metric = models.CharField(_("metric"), max_length=20, choices=MetricChoice.choices)
    period_start = models.DateTimeField(_("period start"))
    before = models.PositiveBigIntegerField(_("before"))
    after = models.PositiveBigIntegerField(_("after"))
    reason = models.CharField(_("reason"), max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("usage correction")
        verbose_name_plural = _("usage corrections")
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(before=F("after")),
                name="vqb_correction_changes_something",
                violation_error_message=_("The counter stands there already."),
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="vqb_correction_has_reason",
                violation_error_message=_("Say why."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.before} → {self.after}"
