"""The figures of each day, kept because rows of the present do not tell the past. No row of a day names a user."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DailyFigures(models.Model):
    """One day (UTC) of the whole site: what is not money."""

    date = models.DateField(primary_key=True)
    measured_at = models.DateTimeField(
        null=True,
        help_text="The day's last look at what is only true now; empty where nobody looked on that day.",
    )
    plans = models.JSONField(default=dict, help_text="By slug: how many users, by what they are.")
    usage = models.JSONField(default=dict, help_text="By metric: how many users in each part of their limit.")
    trials_running = models.PositiveIntegerField(null=True)
    trials_ended = models.PositiveIntegerField(default=0)
    trials_converted = models.PositiveIntegerField(default=0)
    trials_lost = models.PositiveIntegerField(default=0)
    webhooks = models.JSONField(default=dict, help_text="As `billing_metrics` has it.")

    class Meta:
        verbose_name = _("dashboard")
        verbose_name_plural = _("dashboard")  # the admin's page of this table
        default_permissions = ()  # "view_dashboard" it is
        ordering: ClassVar = ["date"]

    def __str__(self) -> str:
        return f"{self.date}"


class DailyMoney(models.Model):
    """One day (UTC) in one currency. Recurring amounts are a year's, so that sums are exact; a month is a twelfth."""

    class Source(models.TextChoices):
        MEASURED = "measured"
        LEDGER = "ledger"
        UNKNOWN = "unknown"

    date = models.DateField()
    currency = models.CharField(max_length=3)
    source = models.CharField(
        max_length=10,
        choices=Source.choices,
        default=Source.UNKNOWN,
        help_text="Where recurring revenue and its movement come from.",
    )
    subscriptions = models.PositiveIntegerField(default=0)
    arr = models.BigIntegerField(default=0)
    new = models.BigIntegerField(default=0)
    expansion = models.BigIntegerField(default=0)
    contraction = models.BigIntegerField(default=0)
    churn = models.BigIntegerField(default=0)
    subscriptions_new = models.PositiveIntegerField(default=0)
    subscriptions_churned = models.PositiveIntegerField(default=0)
    payments = models.BigIntegerField(default=0)
    refunds = models.BigIntegerField(default=0)
    disputes = models.BigIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failed_amount = models.BigIntegerField(default=0)
    recovered = models.PositiveIntegerField(default=0)
    recovered_amount = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["date", "currency"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["date", "currency"], name="vqb_money_once_per_day_and_currency")
        ]

    def __str__(self) -> str:
        return f"{self.date}, {self.currency}"


class RecurringAmount(models.Model):
    """What a user paid a year at the last look, and at the beginning of that look's day: the two make the movement.

    It outlives its user until the next look, which books the end.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="recurring_amount"
    )
    plan = models.SlugField(max_length=50)
    currency = models.CharField(max_length=3)
    a_year = models.BigIntegerField()
    opening_currency = models.CharField(max_length=3, blank=True, default="")
    opening_a_year = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.a_year} {self.currency}"
