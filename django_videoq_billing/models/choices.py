from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_videoq_billing.types import Metric


class MetricChoice(models.TextChoices):
    """`types.Metric` with words for screens."""

    VIDEO = Metric.VIDEO.value, _("videos")
    TRANSCRIPTION = Metric.TRANSCRIPTION.value, _("transcription seconds")
