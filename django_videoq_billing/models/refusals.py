from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_videoq_billing.models.choices import MetricChoice


class UsageRefusal(models.Model):
    """That a user was refused for a limit: the first time in an hour, for whoever supports the user.

    No count of refusals, which is the business of the log (`quota_refused`) and of metrics: who tries again and
    again must not fill a table.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="usage_refusals",
        verbose_name=_("user"),
    )
    metric = models.CharField(_("metric"), max_length=20, choices=MetricChoice.choices)
    hour = models.DateTimeField(_("hour"), help_text=_("The beginning of the hour, in UTC."))
    amount = models.PositiveBigIntegerField(pgettext_lazy("of usage", "amount"))
    used = models.PositiveBigIntegerField(_("used"))
    limit = models.PositiveBigIntegerField(_("limit"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "metric", "hour"], name="vqb_refusal_once_an_hour"),
            models.CheckConstraint(
                condition=Q(amount__gte=1),
                name="vqb_refusal_amount_positive",
                violation_error_message=_("The amount must be at least 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.used} + {self.amount} > {self.limit}"
