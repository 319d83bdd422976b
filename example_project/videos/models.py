from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def stored_name(video: Video, filename: str) -> str:
    """Name the file after the row: nothing of the uploader's file name reaches the disk."""
    return f"{video.owner_id}/{video.pk}.{filename.rpartition('.')[2]}"


class Video(models.Model):
    """One uploaded video or audio file. Its transcription is a `TranscriptionJob` of the billing app."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="videos")
    title = models.CharField(_("title"), max_length=120)
    file = models.FileField(_("file"), upload_to=stored_name)
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveBigIntegerField(_("size"))
    duration_seconds = models.FloatField(_("duration"))
    declared_seconds = models.FloatField(null=True, blank=True, help_text=_("What the file's header says."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("video", args=[self.pk])

    @property
    def is_audio(self) -> bool:
        return self.content_type.startswith("audio/")

    @property
    def estimated_seconds(self) -> float:
        """What transcription is expected to count, before the file has been listened to."""
        return self.declared_seconds or self.duration_seconds


@receiver(post_delete, sender=Video)
def remove_file(instance: Video, **kwargs: object) -> None:
    """Whichever way the row went: here, in the admin, or together with its owner."""
    transaction.on_commit(lambda: instance.file.delete(save=False))
