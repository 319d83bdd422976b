"""A stand-in for a speech-to-text service: it listens to nothing, but counts as one would."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.translation import gettext as _

from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services import transcription
from example_project.videos import media
from example_project.videos.models import Video

logger = logging.getLogger(__name__)

LONGEST_RUN = timedelta(minutes=5)


def transcribe(video: Video) -> TranscriptionJob:
    """Reserve the header's length, read the file through, and count its real length.

    Raises QuotaExceeded or Conflict with nothing counted. A file that fails later is a failed job.
    """
    estimate = transcription.billable_seconds(video.estimated_seconds)
    job = transcription.start(video.owner, video, estimated_seconds=estimate)
    try:
        with video.file.open("rb") as file:
            seconds = media.probe(file).seconds
        return transcription.complete(job, transcription.billable_seconds(seconds))
    except media.BadMedia as error:
        return transcription.fail(job, str(error.message))
    except Exception:
        logger.exception("transcription of %s failed", video.pk)
        return transcription.fail(job, _("The file could not be read."))


def latest_jobs(videos: list[Video]) -> dict[str, TranscriptionJob]:
    """Return the newest job of each video, by the video's id."""
    jobs = TranscriptionJob.objects.filter(
        content_type=ContentType.objects.get_for_model(Video), object_id__in=[str(v.pk) for v in videos]
    )
    return {job.object_id: job for job in jobs.order_by("created_at", "pk")}


def give_up_lost_job(video: Video) -> None:
    """Fail a job whose process died, so that the video can be tried again."""
    job = latest_jobs([video]).get(str(video.pk))
    if job and job.is_live and job.created_at < timezone.now() - LONGEST_RUN:
        transcription.fail(job, _("It was interrupted."))


def cancel_live_job(video: Video) -> None:
    job = latest_jobs([video]).get(str(video.pk))
    if job and job.is_live:
        transcription.cancel(job)
