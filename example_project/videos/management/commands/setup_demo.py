from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.subscriptions import assign_plan
from example_project.videos.sandbox_clock import sandbox_address

PASSWORD = "demo-password"
CARD = "4242424242424242"
PAYING_USER = "pro"
USERS = {"demo": "free", "pro": "standard", "admin": "premium"}


class Command(BaseCommand):
    help = "Seed the plans, at the local Stripe too, and make the demo users. Safe to run again; only with DEBUG on."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo users have a well-known password: setup_demo runs only with DEBUG on."
            )
        call_command("seed_plans", stdout=self.stdout)
        sandbox = sandbox_address() if getattr(settings, "STRIPE_SANDBOX", False) else ""
        if sandbox:
            call_command("sync_stripe_plans", stdout=self.stdout)
        for name, slug in USERS.items():
            plan = SubscriptionPlan.objects.get(slug=slug)
            pays = bool(sandbox) and name == PAYING_USER
            user = make_user(name, None if pays else plan)
            if user and pays:
                pay(user, plan, sandbox)
            state = f"on {slug}" if user else "was there already"
            self.stdout.write(
                f"  {name:<6} {PASSWORD}  ({state}{', paid with a test card' if user and pays else ''})"
            )


@transaction.atomic
def make_user(name: str, plan: SubscriptionPlan | None) -> User | None:
    """Return the user if it is new; one who is there already is left alone."""
    is_admin = name == "admin"
    user, created = User.objects.get_or_create(
        username=name,
        defaults={"email": f"{name}@example.com", "is_staff": is_admin, "is_superuser": is_admin},
    )
    if not created:
        return None
    user.set_password(PASSWORD)
    user.save()
    if plan is not None:
        assign_plan(user, plan)
    return user


def pay(user: User, plan: SubscriptionPlan, sandbox: str) -> None:
    """What a person does on the sandbox's page: a real subscription, with its invoice and webhooks."""
    session = start_checkout(user, plan, f"{sandbox}/_sandbox/", f"{sandbox}/_sandbox/")
    request = Request(f"{sandbox}/_sandbox/checkout/{session.id}/pay", json.dumps({"card": CARD}).encode())  # noqa: S310 - http
    with urlopen(request, timeout=20):  # noqa: S310 - http
        plan_changes.sync(user)
