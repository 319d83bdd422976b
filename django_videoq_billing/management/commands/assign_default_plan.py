from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.subscriptions import assign_default_plan, users_without_subscription

LARGEST_BATCH = 100_000
BAR_WIDTH = 30


class Command(BaseCommand):
    help = "Give the default plan to every user without a subscription. Safe to stop and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=1000, help="Users per transaction (1000).")

    def handle(self, *args: Any, batch_size: int, **options: Any) -> None:
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise CommandError(f"--batch-size must be from 1 to {LARGEST_BATCH}, not {batch_size}.")
        show_bar = self.stderr.isatty()
        total = users_without_subscription() if show_bar else 0
        done = 0
        try:
            for size in assign_default_plan(batch_size):
                done += size
                if show_bar:
                    self._draw_bar(done, total)
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped: {_users(done)} done; run it again to go on.", returncode=130
            ) from None
        finally:
            if show_bar and done:
                self.stderr.write("", style_func=str)
        self._summarise(done)

    def _draw_bar(self, done: int, total: int) -> None:
        share = min(done / total, 1.0) if total else 1.0
        bar = "#" * round(share * BAR_WIDTH)
        line = f"\r[{bar:<{BAR_WIDTH}}] {done}/{max(done, total)}"
        self.stderr.write(line, style_func=str, ending="")
        self.stderr.flush()

    def _summarise(self, done: int) -> None:
        plan = get_settings().DEFAULT_PLAN
        if done:
            self.stdout.write(self.style.SUCCESS(f"Gave the plan '{plan}' to {_users(done)}."))
        else:
            self.stdout.write("Every user has a subscription already.")


def _users(count: int) -> str:
    return "1 user" if count == 1 else f"{count} users"
