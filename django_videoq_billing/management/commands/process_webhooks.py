from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from django_videoq_billing.management.stripe import speaking_to_stripe
from django_videoq_billing.management.webhook_work import Work, stopping


class Command(BaseCommand):
    help = "Process the events that Stripe sent and fill the mirror. Safe to run in many places at once."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="Work on what is due and end (the default).")
        how.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        parser.add_argument("--limit", type=int, metavar="N", help="End after N events.")
        parser.add_argument(
            "--interval",
            type=float,
            default=1.0,
            metavar="S",
            help="Seconds between two looks of --loop (1).",
        )

    def handle(self, *args: Any, limit: int | None, interval: float, **options: Any) -> None:
        if limit is not None and limit < 1:
            raise CommandError(f"--limit must be 1 or more, not {limit}.")
        if interval <= 0:
            raise CommandError(f"--interval must be more than 0, not {interval:g}.")
        work = Work()
        with speaking_to_stripe(), stopping() as stop:
            work.go_on(stop, limit)
            while options["loop"] and not stop.requested and (limit is None or work.events < limit):
                stop.wait(interval)
                close_old_connections()
                work.go_on(stop, limit)
        self.stdout.write(work.summary())
