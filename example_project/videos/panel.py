"""What the pages show, worked out before the templates: usage meters and the rows of the library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import TranscriptionJob
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.types import Metric, UsageReport, minutes
from example_project.videos.models import Video
from example_project.videos.transcriber import LONGEST_RUN, latest_jobs


class UserRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


@dataclass(frozen=True, slots=True)
class Meter:
    """One progress bar. `share` is None without a limit; `reached` is the highest threshold passed, or 0."""

    label: str
    text: str
    share: float | None
    reached: int
    overage: str

    @property
    def level(self) -> str:
        return "full" if self.reached >= 100 else "high" if self.reached else "calm"


@dataclass(frozen=True, slots=True)
class Panel:
    plan_name: str
    period_end: datetime
    meters: tuple[Meter, ...]


def usage_panel(user: User, report: UsageReport) -> Panel:
    reached = dict.fromkeys(Metric, 0)
    for warning in report.warnings(get_settings().WARNING_THRESHOLDS):
        if warning.reached:
            reached[warning.resource] = max(reached[warning.resource], warning.threshold)
    over_videos, over_seconds = report.video_overage, report.transcription_overage_seconds
    limit = report.transcription_limit_minutes
    return Panel(
        plan_name=entitlement_for(user).plan_name,
        period_end=report.period.end,
        meters=(
            Meter(
                label=_("Videos"),
                text=_used_of(report.counters.video_count, report.video_limit),
                share=report.video_usage_percentage,
                reached=reached[Metric.VIDEO],
                overage=_("%(n)s more than the plan has.") % {"n": _number(over_videos)}
                if over_videos
                else "",
            ),
            Meter(
                label=_("Transcription minutes"),
                text=_used_of(report.transcription_minutes, limit),
                share=report.transcription_usage_percentage,
                reached=reached[Metric.TRANSCRIPTION],
                overage=_overage_minutes(over_seconds) if over_seconds else "",
            ),
        ),
    )


def _number(value: float) -> str:
    return number_format(int(value) if value == int(value) else value)


def _used_of(used: float, limit: int | None) -> str:
    shown = _number(used)
    if limit is None:
        return _("%(used)s, no limit") % {"used": shown}
    return _("%(used)s of %(limit)s") % {"used": shown, "limit": _number(limit)}


def _overage_minutes(seconds: int) -> str:
    return _("%(n)s minutes more than the plan has.") % {"n": _number(max(minutes(seconds), 0.1))}


@dataclass(frozen=True, slots=True)
class Row:
    """One video with the state of its transcription: done, running, lost, failed, waiting or refused."""

    video: Video
    state: str
    counted_seconds: int
    why: str

    @property
    def may_try_again(self) -> bool:
        return self.state not in ("done", "running")


def rows_for(videos: list[Video], report: UsageReport) -> list[Row]:
    """`refused` is worked out from today's usage, so an upgrade turns it into `waiting` by itself."""
    jobs = latest_jobs(videos)
    limit = report.transcription_limit_seconds
    left = math.inf if limit is None else limit - report.counters.transcription_seconds
    return [_row(video, jobs.get(str(video.pk)), left) for video in videos]


def _row(video: Video, job: TranscriptionJob | None, left: float) -> Row:
    if job is None or job.status == job.Status.CANCELLED:
        fits = math.ceil(video.estimated_seconds) <= left
        return Row(video, "waiting" if fits else "refused", 0, "")
    if job.status == job.Status.COMPLETED:
        return Row(video, "done", job.duration_seconds, "")
    if job.is_live:
        lost = job.created_at < timezone.now() - LONGEST_RUN
        return Row(video, "lost" if lost else "running", 0, "")
    return Row(video, "failed", 0, job.error_message)
