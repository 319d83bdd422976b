from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_videoq_billing.models.choices import MetricChoice
from django_videoq_billing.models.fields import ExactCharField, HoldIdField
from django_videoq_billing.models.indexes import OpenRowsIndex
from django_videoq_billing.types import Counters, Period, ReservationState, UsageReport


class UsageRecord(models.Model):
    """What one user has used in one period, beside the limits that were in force when it was last counted."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="usage_records",
        verbose_name=_("user"),
    )
    billing_period_start = models.DateTimeField(_("period start"))
    billing_period_end = models.DateTimeField(_("period end"))
    video_count = models.PositiveBigIntegerField(_("videos"), default=0)
    transcription_seconds = models.PositiveBigIntegerField(_("transcription seconds"), default=0)
    video_limit = models.PositiveBigIntegerField(_("video limit"), null=True, blank=True)
    transcription_limit_seconds = models.PositiveBigIntegerField(
        _("transcription limit in seconds"), null=True, blank=True
    )
    last_video_uploaded_at = models.DateTimeField(_("last video"), null=True, blank=True)
    last_transcription_at = models.DateTimeField(_("last transcription"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering: ClassVar = ["-billing_period_start"]
        indexes: ClassVar = [models.Index(fields=["billing_period_end"], name="vqb_usage_period_end")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "billing_period_start"], name="vqb_usage_one_record_per_period"
            ),
            models.CheckConstraint(condition=Q(video_count__gte=0), name="vqb_usage_videos_not_negative"),
            models.CheckConstraint(
                condition=Q(transcription_seconds__gte=0), name="vqb_usage_seconds_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(billing_period_end__gt=F("billing_period_start")),
                name="vqb_usage_period_ends_after_start",
                violation_error_message=_("The period must end after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.billing_period_start:%Y-%m-%d}"

    @property
    def period(self) -> Period:
        return Period(self.billing_period_start, self.billing_period_end)

    @property
    def counters(self) -> Counters:
        return Counters(self.video_count, self.transcription_seconds, self.updated_at)

    @property
    def report(self) -> UsageReport:
        """This record beside its own limits; for the current period ask `UsageTracker.report` instead."""
        return UsageReport(self.period, self.counters, self.video_limit, self.transcription_limit_seconds)

    @property
    def transcription_minutes(self) -> float:
        return self.report.transcription_minutes

    @property
    def transcription_limit_minutes(self) -> int | None:
        return self.report.transcription_limit_minutes

    @property
    def video_usage_percentage(self) -> float | None:
        return self.report.video_usage_percentage

    @property
    def transcription_usage_percentage(self) -> float | None:
        return self.report.transcription_usage_percentage

    @property
    def video_overage(self) -> int:
        return self.report.video_overage

    @property
    def transcription_overage_seconds(self) -> int:
        return self.report.transcription_overage_seconds


class UsageReservationQuerySet(models.QuerySet["UsageReservation"]):
    def held(self) -> UsageReservationQuerySet:
        return self.filter(state=ReservationState.HELD)

    def overdue(self, now: datetime) -> UsageReservationQuerySet:
        return self.held().filter(expires_at__lte=now)


class UsageReservation(models.Model):
    """A hold: an amount that is counted already and still may be settled, given back, or expire."""

    class State(models.TextChoices):
        HELD = ReservationState.HELD.value, _("held")
        COMMITTED = ReservationState.COMMITTED.value, _("committed")
        RELEASED = ReservationState.RELEASED.value, _("released")
        EXPIRED = ReservationState.EXPIRED.value, _("expired")

    id = HoldIdField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="usage_reservations",
        db_constraint=False,  # the record guards it; a check of the user's row would wait for whoever locks that
        verbose_name=_("user"),
    )
    record = models.ForeignKey(
        UsageRecord, on_delete=models.CASCADE, related_name="reservations", verbose_name=_("usage record")
    )
    metric = models.CharField(_("metric"), max_length=20, choices=MetricChoice.choices)
    amount = models.PositiveBigIntegerField(pgettext_lazy("of usage", "amount"))
    settled_amount = models.PositiveBigIntegerField(_("settled amount"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.HELD)
    key = ExactCharField(
        _("client key"),
        max_length=255,
        null=True,
        blank=True,
        help_text=_("The Idempotency-Key; given up when the hold is released or expires."),
    )
    expires_at = models.DateTimeField(_("expires at"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = UsageReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("usage reservation")
        verbose_name_plural = _("usage reservations")
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            OpenRowsIndex(
                fields=["expires_at"],
                condition=Q(state="held"),
                told_by="state",
                name="vqb_reservation_held_until",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "metric", "key"], name="vqb_reservation_key_once_per_user_and_metric"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=1),
                name="vqb_reservation_amount_positive",
                violation_error_message=_("The amount must be at least 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.metric} ({self.get_state_display()})"
