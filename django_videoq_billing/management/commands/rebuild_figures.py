from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_videoq_billing.management.moments import read_moment
from django_videoq_billing.services import figures

LONGEST = timedelta(days=3660)


class Command(BaseCommand):
    help = (
        "Write the dashboard's figures anew, as far as rows of the past tell them. What was measured on its day "
        "stays; docs/dashboard.md says which is which."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", metavar="DAY", required=True, help="The first day (UTC), as 2026-01-31."
        )

    def handle(self, *args: Any, since: str, **options: Any) -> None:
        now = timezone.now()
        first = read_moment("--since", since)
        if first > now:
            raise CommandError(f"--since {since} lies ahead.")
        if now - first > LONGEST:
            raise CommandError("--since may lie ten years back at most.")
        days = figures.rebuild(first.date(), now)
        self.stdout.write(self.style.SUCCESS(f"The figures of {days} days are written."))
