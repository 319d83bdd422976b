from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.management.progress import Progress
from django_videoq_billing.management.stripe import speaking_to_stripe
from django_videoq_billing.management.users import find_user
from django_videoq_billing.management.webhook_work import stopping
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.reconciliation import PAYMENT_DAYS, Difference, Reconciliation


class Command(BaseCommand):
    help = "Compare subscriptions, plans, periods and payments with Stripe, tell what differs, and mend it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="One user alone: username, e-mail address or primary key.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell; mend nothing.")
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--days",
            type=int,
            default=PAYMENT_DAYS,
            help=f"How many days of payments to compare ({PAYMENT_DAYS}); with --user all of them.",
        )

    def handle(self, *args: Any, user: str | None, days: int, **options: Any) -> None:
        if days < 1:
            raise CommandError(f"--days must be 1 or more, not {days}.")
        self.as_json = options["format"] == "json"
        work = Reconciliation(dry_run=options["dry_run"], days=days, tell=self._tell)
        with speaking_to_stripe():
            if user:
                work.of_user(_customer(user))
            else:
                self._everything(work)
        if self.as_json:
            self.stdout.write(json.dumps({"dry_run": work.dry_run, **work.report}, indent=2))
        else:
            self._summary(work)

    def _everything(self, work: Reconciliation) -> None:
        progress = Progress(self.stderr, None, "compared")
        with stopping() as stop:
            try:
                for count in work.steps():
                    progress.reached(progress.done + count, None)
                    if stop.requested:
                        raise CommandError(
                            "Stopped. What was mended stays; run it again for the rest.", returncode=130
                        )
            finally:
                progress.end()

    def _tell(self, found: Difference) -> None:
        if not self.as_json:
            user = f"user {found.user_id}" if found.user_id else "nobody"
            self.stdout.write(
                f"{user:<16}{found.kind:<22}{found.here or '-'} here, {found.at_stripe or '-'} at Stripe"
                f"{': mended' if found.mended else ''}"
            )

    def _summary(self, work: Reconciliation) -> None:
        compared = ", ".join(f"{what}: {count}" for what, count in work.report["compared"].items())
        found, mended = sum(work.report["differences"].values()), work.report["mended"]
        self.stdout.write(f"Compared {compared or 'nothing'}.")
        told = f"{found} differ{'s' if found == 1 else ''}"
        self.stdout.write("Nothing differs." if not found else f"{told}, {mended} mended.")


def _customer(given: str) -> UserSubscription:
    user = find_user(given)
    row = UserSubscription.objects.filter(user_id=user.pk).exclude(stripe_customer_id=None).first()
    if row is None:
        raise CommandError(f"{user.get_username()} is not a customer at Stripe; `sync_stripe` looks for one.")
    return row
