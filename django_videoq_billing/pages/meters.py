"""Usage as meters, for pages without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_videoq_billing.conf import get_settings
from django_videoq_billing.types import Metric, UsageReport


@dataclass(frozen=True, slots=True)
class Meter:
    """One metric. `share` is a percentage, or None without a limit; `reached` the highest threshold passed, or 0."""

    label: str
    figures: str
    share: float | None
    reached: int

    @property
    def level(self) -> str:
        return "full" if self.reached >= 100 else "high" if self.reached else "calm"


def meters_of(report: UsageReport) -> dict[Metric, Meter]:
    reached = dict.fromkeys(Metric, 0)
    for warning in report.warnings((*get_settings().WARNING_THRESHOLDS, 100)):
        if warning.reached:
            reached[warning.resource] = max(reached[warning.resource], warning.threshold)
    return {
        Metric.VIDEO: Meter(
            _("Videos"),
            _figures(report.counters.video_count, report.video_limit),
            report.video_usage_percentage,
            reached[Metric.VIDEO],
        ),
        Metric.TRANSCRIPTION: Meter(
            _("Transcription minutes"),
            _figures(report.transcription_minutes, report.transcription_limit_minutes),
            report.transcription_usage_percentage,
            reached[Metric.TRANSCRIPTION],
        ),
    }


def _figures(used: float, limit: int | None) -> str:
    return f"{_number(used)} ({_('unlimited')})" if limit is None else f"{_number(used)} / {_number(limit)}"


def _number(value: float) -> str:
    return number_format(int(value) if value == int(value) else value)
