"""The plans of the settings, and three that only the demo has: another currency, another interval, one customer's own."""

from __future__ import annotations

from typing import Any

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.plans import seed_plans
from example_project.videos.demo.lives import FREE, PREMIUM, STANDARD, STUDIO, YEARLY, YEN, Plans

OF_THE_SETTINGS = (FREE, STANDARD, PREMIUM)
OWN: dict[str, dict[str, Any]] = {
    YEN: {
        "name": "Standard (yen)",
        "price_cents": 1480,
        "currency": "JPY",
        "video_limit": 50,
        "transcription_limit_minutes": 300,
    },
    YEARLY: {
        "name": "Premium, yearly",
        "price_cents": 49000,
        "interval": "year",
        "transcription_limit_minutes": 12000,
    },
    STUDIO: {
        "name": "Studio Nori",
        "price_cents": 9900,
        "video_limit": 400,
        "transcription_limit_minutes": 3000,
    },
}


class PlanMissing(Exception):
    """The settings describe no plan with this slug."""


def make_plans() -> Plans:
    """By slug. The demo's own are not listed, so that nobody is offered them."""
    seed_plans()
    for slug, fields in OWN.items():
        SubscriptionPlan.objects.get_or_create(
            slug=slug, defaults={"is_public": False, "sort_order": 9, **fields}
        )
    found = {plan.slug: plan for plan in SubscriptionPlan.objects.filter(slug__in=[*OF_THE_SETTINGS, *OWN])}
    for slug in OF_THE_SETTINGS:
        if slug not in found:
            raise PlanMissing(slug)
    return found
