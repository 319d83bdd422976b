from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from django_videoq_billing.management.stripe import counted, speaking_to_stripe
from django_videoq_billing.management.webhook_work import Work, stopping
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.webhooks import inbox

UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Command(BaseCommand):
    help = "Process stored events once more. Handlers ask Stripe afresh, so nothing is booked twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", help="A date or moment such as 2026-01-31T12:00, or an age: 7d, 12h, 30m."
        )
        parser.add_argument("--type", help="An event type such as invoice.paid, or a family: invoice.*")
        parser.add_argument("--failed", action="store_true", help="Only events whose processing failed.")
        parser.add_argument("--no-process", action="store_true", help="Leave the processing to the worker.")

    def handle(self, *args: Any, since: str | None, failed: bool, **options: Any) -> None:
        if since is None and not failed and not options["type"]:
            raise CommandError("Say which events: --since, --type or --failed.")
        start = None if since is None else _moment(since)
        count = inbox.replay(_chosen(start, options["type"], failed))
        self.stdout.write(f"Marked {counted(count, 'event')} to be processed once more.")
        if options["no_process"] or not count:
            return
        work = Work()
        with speaking_to_stripe(), stopping() as stop:
            work.go_on(stop)
        self.stdout.write(work.summary())


def _chosen(since: datetime | None, event_type: str | None, failed: bool) -> QuerySet[WebhookEvent]:
    events: QuerySet[WebhookEvent] = WebhookEvent.objects.all()
    if since:
        events = events.filter(created_at__gte=since)
    if failed:
        events = events.filter(state=WebhookEvent.State.FAILED)
    if event_type and event_type.endswith(".*"):
        return events.filter(type__startswith=event_type[:-1])
    return events.filter(type=event_type) if event_type else events


def _moment(text: str) -> datetime:
    """Read a moment, a day, or an age such as "7d"; raises CommandError."""
    try:
        if text[:-1].isdigit() and text[-1] in UNITS:
            return timezone.now() - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        day = parse_date(text)
        found = datetime.combine(day, time.min) if day else parse_datetime(text)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise CommandError(f"--since takes 2026-01-31, 2026-01-31T12:00, 7d, 12h or 30m, not {text!r}.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found
