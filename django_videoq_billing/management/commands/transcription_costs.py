from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from django_videoq_billing.management.users import find_user
from django_videoq_billing.services.transcription import MonthlyCosts, UserCosts, monthly_costs


class Command(BaseCommand):
    help = "Show what the transcriptions completed in a month cost, by user and in total, to the last digit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--month", metavar="YYYY-MM", help="A calendar month in TIME_ZONE (the present one)."
        )
        parser.add_argument(
            "--user",
            help="One user alone: username, e-mail address (if only one user has it) or primary key.",
        )
        parser.add_argument(
            "--format",
            choices=["text", "json", "csv"],
            default="text",
            help="text is in the currency's main unit; json and csv are in cents.",
        )

    def handle(self, *args: Any, month: str | None, user: str | None, **options: Any) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        costs = monthly_costs(
            today if month is None else _month(month), None if user is None else find_user(user)
        )
        {"text": self._text, "json": self._json, "csv": self._csv}[options["format"]](costs)

    def _text(self, costs: MonthlyCosts) -> None:
        lines = [(user.username, user) for user in costs.users] + [("total", costs)]
        width = max(len("2026-11"), *(len(name) for name, _ in lines))
        self.stdout.write(f"{costs.month:%Y-%m}".ljust(width) + f" {'jobs':>8} {'seconds':>12} {'cost':>20}")
        for name, row in lines:
            self.stdout.write(
                f"{name:<{width}} {row.jobs:>8} {row.seconds:>12} {_amount(row.cost_cents):>20}"
            )

    def _json(self, costs: MonthlyCosts) -> None:
        report = {**asdict(costs), "month": f"{costs.month:%Y-%m}"}
        self.stdout.write(json.dumps(report, cls=DjangoJSONEncoder, indent=2))

    def _csv(self, costs: MonthlyCosts) -> None:
        """One line a user and no total, so that the column may be added up."""
        names = [field.name for field in fields(UserCosts)]
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(["month", *names])
        for user in costs.users:
            writer.writerow([f"{costs.month:%Y-%m}", *(getattr(user, name) for name in names)])


def _month(text: str) -> date:
    if not re.fullmatch(r"2\d{3}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise CommandError(f"'{text}' is no month; write it as 2026-11.")
    return date.fromisoformat(f"{text}-01")


def _amount(cents: Decimal) -> str:
    """All digits that count, two decimals at least."""
    whole, decimals = f"{cents.scaleb(-2):.8f}".split(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
