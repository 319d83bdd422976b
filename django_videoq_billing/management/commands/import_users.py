from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.management.moments import read_moment
from django_videoq_billing.management.progress import Progress
from django_videoq_billing.management.stripe import counted
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.moving_in import (
    Count,
    Left,
    Moved,
    MoveIn,
    count_function,
    recount_function,
    users_to_move,
)

LARGEST_BATCH = 10_000


class Command(BaseCommand):
    help = (
        "Put every user of a site that had another limit before on a plan, and count what they have used in the "
        "running period. Safe to stop and to run again: nobody is counted twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", metavar="SLUG", help="The plan to put them on (the default plan).")
        parser.add_argument(
            "--count",
            metavar="module.function",
            help="(user, period) -> videos, or {'video': n, 'transcription': seconds} (the functions of RECOUNT).",
        )
        parser.add_argument(
            "--period-start",
            metavar="WHEN",
            help="When a period of the old limit began; periods go on from there (the first of this month). "
            "In TIME_ZONE unless it names its offset.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; write nothing.")
        parser.add_argument("--batch-size", type=int, default=500, help="Users read at once (500).")

    def handle(self, *args: Any, dry_run: bool, batch_size: int, **options: Any) -> None:
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise CommandError(f"--batch-size must be from 1 to {LARGEST_BATCH}, not {batch_size}.")
        work = MoveIn(
            _plan(options["plan"]), _anchor(options["period_start"]), _count(options["count"]), batch_size
        )
        period = work.period()
        self.stdout.write(
            f"Period {period.start.isoformat()} to {period.end.isoformat()}, plan {work.plan.slug}"
        )
        summary = Summary()
        progress = Progress(self.stderr, users_to_move())
        try:
            for moved in work.rehearse() if dry_run else work.run():
                summary.note(moved)
                self._show(moved, dry_run)
                progress.step()
        except KeyboardInterrupt:
            message = f"Stopped: {counted(progress.done, 'user')} done; run it again to go on."
            raise CommandError(message, returncode=130) from None
        except UsageUnavailable as error:
            raise CommandError(f"{error.message} Run it again to go on.") from error
        finally:
            progress.end()
        self.stdout.write(summary.text(dry_run))
        if summary.failed:
            raise CommandError(f"{counted(summary.failed, 'user')} could not be counted; see above.")

    def _show(self, moved: Moved, dry_run: bool) -> None:
        """Show everybody in a dry run, else those who were left alone. Names may repeat; primary keys do not."""
        name = f"{moved.user.pk} {moved.user.get_username()}"
        if moved.error:
            self.stderr.write(f"{name}: {moved.error}")
        elif moved.left:
            self.stdout.write(f"{name}: {moved.left}")
        elif dry_run and (moved.given or moved.counted):
            amounts = [f"{metric} {amount}" for metric, amount in moved.counted.items()]
            self.stdout.write(f"{name}: {', '.join(['gets the plan'] * moved.given + amounts)}")


class Summary:
    def __init__(self) -> None:
        self.given = self.counted = self.failed = 0
        self.left = dict.fromkeys(Left, 0)

    def note(self, moved: Moved) -> None:
        self.given += moved.given
        self.counted += bool(moved.counted)
        self.failed += bool(moved.error)
        if moved.left:
            self.left[moved.left] += 1

    def text(self, dry_run: bool) -> str:
        lines = [f"Plan given to {counted(self.given, 'user')}, usage counted for {self.counted}."]
        lines += [f"{counted(number, 'user')}: {reason}." for reason, number in self.left.items() if number]
        return "\n".join([*lines, *(["Dry run: nothing was written."] if dry_run else [])])


def _plan(slug: str | None) -> SubscriptionPlan:
    slug = slug or get_settings().DEFAULT_PLAN
    plan = SubscriptionPlan.objects.filter(slug=slug).first()
    if plan is None:
        known = ", ".join(SubscriptionPlan.objects.values_list("slug", flat=True)) or "none; run seed_plans"
        raise CommandError(f"There is no plan '{slug}'. Plans in the database: {known}.")
    return plan


def _count(path: str | None) -> Count | None:
    try:
        return recount_function() if path is None else count_function(path)
    except (ImportError, ImproperlyConfigured) as error:
        raise CommandError(str(error)) from error


def _anchor(text: str | None) -> datetime:
    now = timezone.localtime(timezone=timezone.get_default_timezone())
    if text is None:
        return timezone.make_aware(datetime(now.year, now.month, 1), timezone.get_default_timezone())  # noqa: DTZ001
    anchor = read_moment("--period-start", text, timezone.get_default_timezone())
    if anchor > now:
        raise CommandError(f"--period-start must not lie in the future, as {text} does.")
    return anchor
