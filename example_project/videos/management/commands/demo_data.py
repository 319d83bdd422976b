from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_videoq_billing.management.moments import read_moment
from example_project.videos import sandbox_clock
from example_project.videos.demo import figures
from example_project.videos.demo.cast import FEWEST_USERS
from example_project.videos.demo.filling import fill
from example_project.videos.demo.plans import PlanMissing
from example_project.videos.demo.removing import demo_users, remove


class Command(BaseCommand):
    help = (
        "Fill the site with a made-up year of a few hundred users: subscriptions, payments, usage, e-mails, webhooks. "
        "Only with DEBUG on. --remove takes it out again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--users", type=int, default=300, help=f"How many ({FEWEST_USERS} at least; 300)."
        )
        parser.add_argument("--seed", type=int, default=1, help="The same seed makes the same year (1).")
        parser.add_argument("--until", metavar="WHEN", help="The last moment of the year (now).")
        parser.add_argument("--remove", action="store_true", help="Take out what this command has made.")
        parser.add_argument("--without-debug", action="store_true", help="Run with DEBUG off, too.")

    def handle(
        self,
        *args: Any,
        users: int,
        seed: int,
        until: str | None,
        without_debug: bool,
        **options: Any,
    ) -> None:
        if not (settings.DEBUG or without_debug):
            raise CommandError("Made-up customers belong on no real site: DEBUG is off (--without-debug).")
        if options["remove"]:
            self._remove()
            return
        if there := demo_users().exclude(is_staff=True).count():
            self.stdout.write(f"{there} demo users are there already; --remove takes them out.")
            return
        if users < FEWEST_USERS:
            raise CommandError(f"--users must be {FEWEST_USERS} or more.")
        self._fill(users, seed, until)

    def _fill(self, users: int, seed: int, until: str | None) -> None:
        if getattr(settings, "STRIPE_SANDBOX", False):
            sandbox_clock.follow()
        began = time.monotonic()
        now = timezone.now() if until is None else read_moment("--until", until)
        try:
            filled = fill(users, seed, now)
        except PlanMissing as missing:
            raise CommandError(f"The settings have no plan {missing}, which the demo is about.") from missing
        figures.start_anew(now)
        for name, count in filled.items():
            self.stdout.write(f"{count:>7} {name}")
        self.stdout.write(f"Made in {time.monotonic() - began:.1f} s. --remove takes it out again.")

    def _remove(self) -> None:
        count, kept = remove()
        figures.start_anew(timezone.now())
        self.stdout.write(f"{count} demo users removed, with everything of theirs.")
        for slug in kept:
            self.stdout.write(f"The plan {slug} stays: somebody else has it.")
