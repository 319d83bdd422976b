from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from django_videoq_billing.management.overview import MetricUsage, OpenHolds, Overview, overview_of
from django_videoq_billing.management.users import find_user
from django_videoq_billing.types import Metric, minutes


class Command(BaseCommand):
    help = "Show a user's plan, limits and usage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="Username, e-mail address (if only one user has it) or primary key.")
        parser.add_argument("--history", type=int, default=3, metavar="N", help="Past periods to show (3).")
        parser.add_argument("--json", action="store_true", help="Print JSON; transcription is in seconds.")

    def handle(self, *args: Any, user: str, history: int, **options: Any) -> None:
        if history < 0:
            raise CommandError(f"--history must be 0 or more, not {history}.")
        overview = overview_of(find_user(user), history)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(overview), cls=DjangoJSONEncoder, indent=2))
        else:
            self._print(overview)

    def _print(self, overview: Overview) -> None:
        closed = "" if overview.is_active else ", account not active"
        self.stdout.write(self.style.MIGRATE_HEADING(f"{overview.user} (id {overview.user_id}{closed})"))
        if overview.plan is None:
            self._line("Plan", "none yet; the default plan comes with the first use")
        else:
            self._print_plan(overview)
        if period := overview.current_period:
            self._line("Period", f"{_moment(period.start)} to {_moment(period.end)}")
            self._line("Videos", _videos(period.video))
            self._line("Transcription", _transcription(period.transcription))
        self._line("Open holds", "; ".join(map(_holds, overview.open_holds)) or "none")
        for past in overview.past_periods:
            usage = f"videos {_videos(past.video)}; transcription {_transcription(past.transcription)}"
            self._line(f"{timezone.localtime(past.start):%Y-%m-%d}", usage)

    def _print_plan(self, overview: Overview) -> None:
        notes = ", ends with the period" if overview.cancel_at_period_end else ""
        notes += f", then {overview.pending_plan}" if overview.pending_plan else ""
        self._line("Plan", f"{overview.plan} ({overview.status}{notes})")
        effective = overview.effective_plan or "none: the account is not active"
        same = overview.effective_plan == overview.plan
        self._line("Effective", effective if same else self.style.WARNING(effective))

    def _line(self, label: str, text: str) -> None:
        self.stdout.write(f"{label:<14} {text}")


def _moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}"


def _videos(usage: MetricUsage) -> str:
    limit = "(unlimited)" if usage.limit is None else f"of {usage.limit} ({usage.percentage} %)"
    return f"{usage.used} {limit}" + (f", {usage.overage} over the limit" if usage.overage else "")


def _transcription(usage: MetricUsage) -> str:
    limit = "(unlimited)" if usage.limit is None else f"of {minutes(usage.limit)} ({usage.percentage} %)"
    over = f", {minutes(usage.overage)} over the limit" if usage.overage else ""
    return f"{minutes(usage.used)} min {limit}{over}"


def _holds(holds: OpenHolds) -> str:
    amount = f"{minutes(holds.amount)} min" if holds.metric == Metric.TRANSCRIPTION else str(holds.amount)
    return f"{holds.metric} {amount} (holds: {holds.count}, first expires {_moment(holds.first_expires_at)})"
