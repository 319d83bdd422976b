from __future__ import annotations

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.admin.base import HistoryAdmin
from django_videoq_billing.models import TranscriptionJob


@admin.register(TranscriptionJob)
class TranscriptionJobAdmin(HistoryAdmin[TranscriptionJob]):
    list_display = (
        "user",
        "video",
        "status",
        "duration_seconds",
        "whisper_model",
        "cost_per_second",
        "cost_cents",
        "created_at",
    )
    list_filter = ("status", "whisper_model", "created_at")
    list_select_related = ("user", "content_type")
    date_hierarchy = "created_at"
    search_fields = ("object_id__exact",)
    search_help_text = _("User name, e-mail address or the video's id")
    fields = (
        "user",
        "video",
        "status",
        "error_message",
        "estimated_seconds",
        "duration_seconds",
        "whisper_model",
        "cost_per_second",
        "cost_cents",
        "key",
        "reservation_id",
        "created_at",
        "started_at",
        "completed_at",
    )

    @admin.display(description=_("video"), ordering="object_id")
    def video(self, job: TranscriptionJob) -> str:
        """By its id, not by its name: the video may be gone, and its model with it."""
        return f"{capfirst(job.content_type.name)} {job.object_id}"
