from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.subscriptions import assign_plan

PASSWORD = "demo-password"
USERS = {"demo": "free", "pro": "standard", "admin": "premium"}


class Command(BaseCommand):
    help = "Seed the plans and make the demo users; safe to run again. Only for a site with DEBUG on."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo users have a well-known password: setup_demo runs only with DEBUG on."
            )
        call_command("seed_plans", stdout=self.stdout)
        for name, plan in USERS.items():
            created = make_user(name, SubscriptionPlan.objects.get(slug=plan))
            state = f"on {plan}" if created else "was there already"
            self.stdout.write(f"  {name:<6} {PASSWORD}  ({state})")


@transaction.atomic
def make_user(name: str, plan: SubscriptionPlan) -> bool:
    """Return whether the user is new; one who is there already is left alone."""
    is_admin = name == "admin"
    user, created = User.objects.get_or_create(
        username=name, defaults={"is_staff": is_admin, "is_superuser": is_admin}
    )
    if created:
        user.set_password(PASSWORD)
        user.save()
        assign_plan(user, plan)
    return created
