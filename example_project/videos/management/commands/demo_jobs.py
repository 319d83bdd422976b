from __future__ import annotations

from django.conf import settings

from django_videoq_billing.management.commands.run_billing_jobs import Command as RunBillingJobs
from example_project.videos import sandbox_clock


class Command(RunBillingJobs):
    help = "run_billing_jobs at the time of the local Stripe, which its console can advance by months."

    def before_round(self) -> None:
        super().before_round()
        if getattr(settings, "STRIPE_SANDBOX", False):
            sandbox_clock.follow()
