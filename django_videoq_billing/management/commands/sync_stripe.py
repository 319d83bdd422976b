from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_videoq_billing.exceptions import BillingError, StripeUnavailable
from django_videoq_billing.management.progress import Progress
from django_videoq_billing.management.stripe import counted, speaking_to_stripe
from django_videoq_billing.management.users import find_user
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import stripe_mirror, stripe_rebuild


class Command(BaseCommand):
    help = "Rebuild subscription, payments and mirror from Stripe, for one user or all. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", nargs="?", help="Username, e-mail address or primary key.")
        parser.add_argument("--all", action="store_true", help="Every user who is Stripe's customer.")

    def handle(self, *args: Any, user: str | None, **options: Any) -> None:
        if bool(user) == options["all"]:
            raise CommandError("Give one user, or --all.")
        with speaking_to_stripe():
            if user:
                self._one(user)
            else:
                self._all()

    def _one(self, given: str) -> None:
        user = find_user(given)
        stripe_rebuild.adopt(user)
        row = UserSubscription.objects.filter(user_id=user.pk).first()
        if row is None or not row.stripe_customer_id:
            self.stdout.write(f"{user.get_username()} is not a customer at Stripe; nothing to do.")
            return
        stripe_rebuild.rebuild(row.stripe_customer_id)
        row = UserSubscription.objects.select_related("plan").get(pk=row.pk)
        self.stdout.write(self.style.SUCCESS(f"{user.get_username()}: {row.plan.slug} ({row.status})"))

    def _all(self) -> None:
        if adopted := stripe_rebuild.adopt():
            self.stdout.write(f"Found {counted(adopted, 'customer')} that had been forgotten here.")
        stripe_mirror.mirror_catalog()
        progress = Progress(self.stderr, stripe_rebuild.customers())
        failed = 0
        try:
            for row in stripe_rebuild.each_customer():
                failed += not self._rebuilt(row)
                progress.step()
        except KeyboardInterrupt:
            message = f"Stopped: {counted(progress.done, 'customer')} done; run it again to do all."
            raise CommandError(message, returncode=130) from None
        finally:
            progress.end()
        self.stdout.write(self.style.SUCCESS(f"Rebuilt {counted(progress.done - failed, 'customer')}."))
        if failed:
            raise CommandError(f"{counted(failed, 'customer')} could not be rebuilt; see above.")

    def _rebuilt(self, row: UserSubscription) -> bool:
        """Rebuild one customer; trouble with one is no reason to leave the others out."""
        try:
            stripe_rebuild.rebuild(str(row.stripe_customer_id))
        except StripeUnavailable:
            raise
        except BillingError as error:
            self.stderr.write(f"{row.user.get_username()}: {error}")
            return False
        return True
