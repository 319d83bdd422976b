from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.management.groups import Change, PermissionsMissing, bring_in_line


class Command(BaseCommand):
    help = (
        "Make the groups for staff: view, support, plan manager, finance. Running it twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would change and write nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            changes = bring_in_line(dry_run=dry_run)
        except PermissionsMissing as missing:
            raise CommandError(f"Run migrate first: there is no permission {missing}.") from missing
        for change in changes:
            self._print(change)
        if dry_run:
            self.stdout.write(self.style.WARNING("Dry run: nothing was written."))

    def _print(self, change: Change) -> None:
        verb = "created" if change.created else "updated" if change.given or change.taken else "unchanged"
        style: Any = {"created": self.style.SUCCESS, "updated": self.style.WARNING, "unchanged": str}[verb]
        self.stdout.write(f"{style(f'{verb:<11}')} {change.group}")
        for sign, names in (("+", change.given), ("-", change.taken)):
            for name in names:
                self.stdout.write(f"  {sign} {name}")
