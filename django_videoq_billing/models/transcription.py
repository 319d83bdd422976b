from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.lookups import In
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.models.fields import ExactCharField, HoldIdField


class TranscriptionJob(models.Model):
    """One transcription of one of the host's videos, from its estimate to the seconds that were counted."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        PROCESSING = "processing", _("processing")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    LIVE_STATUSES = (Status.PENDING, Status.PROCESSING)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="transcription_jobs",
        verbose_name=_("user"),
    )
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, verbose_name=_("kind of video"))
    object_id = ExactCharField(_("video"), max_length=64)
    video = GenericForeignKey("content_type", "object_id")
    reservation_id = HoldIdField(_("reservation"), null=True, blank=True, editable=False)
    estimated_seconds = models.PositiveBigIntegerField(_("estimated seconds"), default=0)
    duration_seconds = models.PositiveBigIntegerField(
        _("duration in seconds"), default=0, help_text=_("What was counted; 0 until the job is completed.")
    )
    cost_per_second = models.DecimalField(
        _("cost per second"),
        max_digits=9,
        decimal_places=8,
        null=True,
        blank=True,
        help_text=_("The rate in force when the job was opened; empty for jobs from before rates were kept."),
    )
    cost_cents = models.DecimalField(
        _("cost in cents"),
        max_digits=14,
        decimal_places=6,
        default=0,
        help_text=_("The duration times the cost per second, never rounded; 0 until the job is completed."),
    )
    whisper_model = models.CharField(_("Whisper model"), max_length=50, default="whisper-1")
    key = ExactCharField(
        _("task key"),
        max_length=255,
        blank=True,
        default="",
        help_text=_("What the task that works on it is known by, so that a repeated task goes on with it."),
    )
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.PENDING)
    # True or NULL, which equals nothing: so the constraint below needs no condition, which MariaDB does not know. The
    # database fills it in, whoever writes the status.
    claims_video = models.GeneratedField(
        expression=Case(When(In(F("status"), ["pending", "processing", "completed"]), then=True)),
        output_field=models.BooleanField(null=True),
        db_persist=True,
        help_text=_(
            "Whether no other job may have the video: this one is live or completed. Filled in by the database."
        ),
    )
    error_message = models.TextField(_("error message"), blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("transcription job")
        verbose_name_plural = _("transcription jobs")
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["user", "status"], name="vqb_job_user_status"),
            models.Index(fields=["content_type", "object_id", "created_at"], name="vqb_job_attempts"),
            models.Index(
                fields=["completed_at"], condition=Q(status="completed"), name="vqb_job_completed_at"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "claims_video"],
                name="vqb_job_one_live_or_completed_per_video",
                violation_error_message=_("This video is already being transcribed, or has been."),
            ),
            models.CheckConstraint(
                condition=Q(cost_cents__gte=0),
                name="vqb_job_cost_not_negative",
                violation_error_message=_("The cost must not be negative."),
            ),
            models.CheckConstraint(
                condition=Q(duration_seconds__gte=0), name="vqb_job_duration_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.name} {self.object_id} ({self.get_status_display()})"

    @property
    def is_live(self) -> bool:
        return self.status in self.LIVE_STATUSES
