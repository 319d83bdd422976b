"""The days of grace, judged while they last: at the end of a year hardly anybody is in them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from tests.simulation.account import price_of
from tests.simulation.history import DRAFT, GRACE, failures_of
from tests.simulation.year import Year


def judge_grace(year: Year) -> None:
    """Whoever is known to owe a renewal has the plan's limits until the days are over, then the default plan's."""
    now = timezone.now()
    for row in UserSubscription.objects.filter(status="past_due").select_related("user"):
        living = year.account.living(row.stripe_customer_id)
        if living is None or living["status"] != "past_due":
            continue  # it was paid, or has ended, and the site is about to hear of it
        failure = next((one for one in failures_of(year.post, living["id"]) if one.ended is None), None)
        if failure is None:
            continue
        left = failure.began + GRACE - now
        if timedelta(0) < left <= DRAFT:
            continue  # over already where the days count from the draft
        plan = SubscriptionPlan.objects.get(stripe_price_id=price_of(living)["id"])
        expected, given = plan.slug if left > timedelta(0) else "free", entitlement_for(row.user).plan_slug
        year.books.happened["grace judged"] += 1
        if given != expected:
            about = f"user {row.user_id} has {given} and not {expected}"
            year.books.complaints.append(f"{about} with {left} of grace left at {now}")
