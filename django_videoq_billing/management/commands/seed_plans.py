from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, connections, router

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.plans import SeedReport, seed_plans


class Command(BaseCommand):
    help = "Make the plan rows equal to VIDEOQ_BILLING['PLANS']. Running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--prune",
            action="store_true",
            help="Deactivate listed plans that the settings no longer name; those who have one keep it.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would change and write nothing.")

    def handle(self, *args: Any, prune: bool, dry_run: bool, **options: Any) -> None:
        if not _has_tables():
            raise CommandError("There is no table for the plans yet. Run `python manage.py migrate` first.")
        try:
            report = seed_plans(prune=prune, dry_run=dry_run)
        except IntegrityError as error:
            raise CommandError(
                "Nothing was written: a plan in VIDEOQ_BILLING['PLANS'] has the name of another plan in the "
                f"database. Rename one of the two. ({error})"
            ) from error
        self._print(report)
        if dry_run:
            self.stdout.write(self.style.WARNING("Dry run: nothing was written."))

    def _print(self, report: SeedReport) -> None:
        for slug in report.created:
            self._line("created", slug, self.style.SUCCESS)
        for slug, names in report.updated.items():
            self._line("updated", f"{slug} ({', '.join(names)})", self.style.WARNING)
        for slug in report.unchanged:
            self._line("unchanged", slug, str)
        for slug in report.deactivated:
            self._line("deactivated", slug, self.style.NOTICE)

    def _line(self, verb: str, text: str, style: Any) -> None:
        self.stdout.write(f"{style(f'{verb:<11}')} {text}")


def _has_tables() -> bool:
    connection = connections[router.db_for_write(SubscriptionPlan)]
    return SubscriptionPlan._meta.db_table in connection.introspection.table_names()
