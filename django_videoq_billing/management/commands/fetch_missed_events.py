from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_videoq_billing.management.stripe import counted, speaking_to_stripe
from django_videoq_billing.management.webhook_work import Work, stopping
from django_videoq_billing.webhooks.missed import KEPT_DAYS, fetch_missed_events


class Command(BaseCommand):
    help = "Ask Stripe for events that never arrived, and process them. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=KEPT_DAYS, help=f"How far to look back, up to {KEPT_DAYS}."
        )
        parser.add_argument("--no-process", action="store_true", help="Leave the processing to the worker.")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        if not 1 <= days <= KEPT_DAYS:
            raise CommandError(f"--days must be from 1 to {KEPT_DAYS} (Stripe keeps no more), not {days}.")
        work = Work()
        with speaking_to_stripe():
            count = fetch_missed_events(timezone.now() - timedelta(days=days))
            self.stdout.write(f"Fetched {counted(count, 'event')} that had not arrived.")
            if options["no_process"] or not count:
                return
            with stopping() as stop:
                work.go_on(stop)
        self.stdout.write(work.summary())
