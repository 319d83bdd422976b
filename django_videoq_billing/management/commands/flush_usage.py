from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.management.webhook_work import stopping
from django_videoq_billing.services.usage_tracker import flush_usage


class Command(BaseCommand):
    help = (
        "Bring what the usage store has counted into the database, each entry exactly once. Safe to stop "
        "anywhere and to run in many places at once. The database store has nothing to bring."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        parser.add_argument(
            "--interval",
            type=float,
            default=5.0,
            metavar="S",
            help="Seconds between two flushes of --loop (5).",
        )

    def handle(self, *args: Any, loop: bool, interval: float, **options: Any) -> None:
        if interval <= 0:
            raise CommandError(f"--interval must be more than 0, not {interval:g}.")
        if not loop:
            self.stdout.write(self._said(self._flush()))
            return
        moved = 0
        with stopping() as stop:
            while not stop.requested:
                moved += self._flush_or_wait()
                stop.wait(interval)
        self.stdout.write(self._said(moved))

    def _flush(self) -> int:
        try:
            return flush_usage()
        except UsageUnavailable as error:
            raise CommandError("The usage store does not answer. Nothing is lost: run it again.") from error

    def _flush_or_wait(self) -> int:
        """What goes wrong now is tried again at the next turn; whoever watches is told."""
        close_old_connections()
        try:
            return flush_usage()
        except (UsageUnavailable, Error) as error:
            self.stderr.write(f"Trying again: {type(error).__name__}")
            return 0

    def _said(self, moved: int) -> str:
        if not moved:
            return "Nothing to bring: the database has everything."
        return self.style.SUCCESS(
            f"Brought {moved} {'entry' if moved == 1 else 'entries'} into the database."
        )
