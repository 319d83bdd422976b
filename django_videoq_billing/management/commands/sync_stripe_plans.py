from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.management.stripe import counted, speaking_to_stripe
from django_videoq_billing.services.stripe_plans import PlanChange, pull_plans, push_plans

QUIET = ("unchanged", "not for sale", "not at Stripe")


class Command(BaseCommand):
    help = "Make Stripe's products and prices equal to the plans. Running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--pull", action="store_true", help="The other way: make the plans equal to Stripe's prices."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would change and write nothing.")

    def handle(self, *args: Any, pull: bool, dry_run: bool, **options: Any) -> None:
        impossible = 0
        with speaking_to_stripe():
            for change in (pull_plans if pull else push_plans)(dry_run=dry_run):
                self._print(change)
                impossible += change.action.startswith("cannot")
        if dry_run:
            self.stdout.write(self.style.WARNING("Dry run: nothing was written, here or at Stripe."))
        if impossible:
            raise CommandError(f"{counted(impossible, 'change')} could not be made; see above.")

    def _print(self, change: PlanChange) -> None:
        style: Any = str if change.action in QUIET else self.style.WARNING
        if change.action.startswith("cannot"):
            style = self.style.ERROR
        self.stdout.write(f"{change.slug:<15} {style(f'{change.action:<14}')} {change.details}".rstrip())
