from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from django_videoq_billing.management.users import find_user
from django_videoq_billing.services.privacy import billing_data_of

FOR_THE_OWNER_ALONE = 0o600


class Command(BaseCommand):
    help = "Print all that is kept about a user as JSON: subscription, usage, payments, transcriptions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="Username, e-mail address (if only one user has it) or primary key.")
        parser.add_argument(
            "--output", metavar="FILE", help="A new file, readable by you alone (the terminal)."
        )
        parser.add_argument(
            "--with-stripe",
            action="store_true",
            help="Stripe's ids and the invoices' links, too: whoever has a link can open the invoice.",
        )

    def handle(self, *args: Any, user: str, output: str | None, **options: Any) -> None:
        data = billing_data_of(find_user(user), with_stripe=options["with_stripe"])
        text = json.dumps(data, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        if output is None:
            self.stdout.write(text)
        else:
            _write_new(Path(output), f"{text}\n")
            self.stdout.write(self.style.SUCCESS(f"Written to {output}."))


def _write_new(path: Path, text: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_THE_OWNER_ALONE)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
