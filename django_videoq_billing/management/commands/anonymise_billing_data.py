from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.exceptions import Conflict, UsageUnavailable
from django_videoq_billing.management.stripe import counted, speaking_to_stripe
from django_videoq_billing.management.users import find_user
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.privacy import Anonymised, StillBilled, anonymise, what_there_is


class Command(BaseCommand):
    help = (
        "Take a user out of the ledger, whose lines stay, and out of all that is kept beside it. Cannot be undone. "
        "The user's own row is yours to delete or to change. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="Username, e-mail address (if only one user has it) or primary key.")
        parser.add_argument("--dry-run", action="store_true", help="Say what there is; change nothing.")
        parser.add_argument(
            "--cancel", action="store_true", help="Cancel a subscription that is still alive, at once."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, user: str, dry_run: bool, **options: Any) -> None:
        found = find_user(user)
        row = UserSubscription.objects.filter(user_id=found.pk).first()
        if row and row.is_billed and not options["cancel"]:
            raise CommandError(
                f"{found.get_username()} has a subscription at Stripe ({row.status}). {ADVICE}"
            )
        self._show("There is" if dry_run else "To take out", what_there_is(found))
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")
            return
        if not options["yes"]:
            _ask(found)
        self._show("Taken out", self._anonymised(found, row, options["cancel"]))
        self.stdout.write(self.style.SUCCESS("Done. The user's own row is yours to delete or to change."))

    def _anonymised(self, user: AbstractBaseUser, row: UserSubscription | None, cancel: bool) -> Anonymised:
        try:
            if row and row.stripe_customer_id:
                with speaking_to_stripe():
                    return anonymise(user, cancel=cancel)
            return anonymise(user, cancel=cancel)
        except StillBilled:
            raise CommandError(f"Stripe has a subscription of {user.get_username()}. {ADVICE}") from None
        except (Conflict, UsageUnavailable) as error:
            raise CommandError(f"{error.message} What was done is kept; run it again.") from error

    def _show(self, title: str, amounts: Anonymised) -> None:
        self.stdout.write(f"{title}: {', '.join(_amounts(amounts)) or 'nothing'}.")
        if amounts.open_jobs:
            self.stdout.write(
                f"{counted(amounts.open_jobs, 'transcription')} still open: run it again later."
            )


ADVICE = "Let it end first, or give --cancel: it is then cancelled at once, without a refund."


def _amounts(amounts: Anonymised) -> Iterator[str]:
    for number, one, many in (
        (amounts.payments, "line of the ledger", "lines of the ledger"),
        (amounts.reservations, "client key", "client keys"),
        (amounts.jobs, "transcription", "transcriptions"),
        (amounts.events, "event of the inbox", "events of the inbox"),
        (amounts.reasons, "reason that support wrote", "reasons that support wrote"),
        (amounts.emails, "row about e-mails", "rows about e-mails"),
        (amounts.mirrored, "row of dj-stripe's", "rows of dj-stripe's"),
    ):
        if number:
            yield f"{number} {one if number == 1 else many}"
    if amounts.stripe_ids:
        yield "Stripe's ids"


def _ask(user: AbstractBaseUser) -> None:
    name = user.get_username()
    try:
        answer = input(f"This cannot be undone. Type '{name}' to go on: ")
    except EOFError:
        raise CommandError("Nobody is there to confirm; give --yes.") from None
    if answer != name:
        raise CommandError("Not confirmed; nothing was changed.")
