from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.management.users import find_user
from django_videoq_billing.services.recount import Recounted, mend, recounted
from django_videoq_billing.types import Metric


class Command(BaseCommand):
    help = (
        "Count the current period anew from the host's own data (the functions of RECOUNT), show where the "
        "counters differ, and with --apply mend them. Fails where differences are left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--metric", choices=[str(metric) for metric in Metric], help="This one alone.")
        parser.add_argument("--user", metavar="NAME", help="This user alone.")
        parser.add_argument("--apply", action="store_true", help="Mend what differs.")

    def handle(self, *args: Any, metric: str | None, user: str | None, apply: bool, **options: Any) -> None:
        compared = different = 0
        try:
            for found in recounted([Metric(metric)] if metric else None, find_user(user) if user else None):
                compared += 1
                if not found.difference and not found.moving:
                    continue
                different += 1
                self.stdout.write(self._line(found))
                if apply and not found.moving:
                    mend(found)
                    different -= 1
        except (ImproperlyConfigured, ImportError) as error:
            raise CommandError(str(error)) from error
        except UsageUnavailable as error:
            raise CommandError(error.message) from error
        if not compared:
            raise CommandError("Nothing to compare: VIDEOQ_BILLING['RECOUNT'] is empty, or there is no user.")
        if different:
            raise CommandError(f"{different} of {compared} counters differ. --apply mends them.")
        self.stdout.write(self.style.SUCCESS(f"{compared} counters are right."))

    def _line(self, found: Recounted) -> str:
        name = found.user.get_username()
        if found.moving:
            return f"{name:<30} {found.metric:<14} busy: run this again for this user"
        return (
            f"{name:<30} {found.metric:<14} counted {found.counted}, should be {found.expected} "
            f"({found.difference:+d})"
        )
