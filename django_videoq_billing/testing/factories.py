"""Rows for tests, each valid by itself; pass what the test is about."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.plans import seed_plans
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.testing.errors import SandboxError

_numbers = count(1)


def make_plan(**fields: Any) -> SubscriptionPlan:
    """Create a free plan of 5 videos and 60 minutes."""
    number = next(_numbers)
    values = {
        "name": f"Plan {number}",
        "slug": f"plan-{number}",
        "video_limit": 5,
        "transcription_limit_minutes": 60,
        **fields,
    }
    return SubscriptionPlan.objects.create(**values)


def make_user(**fields: Any) -> Any:
    """Create a user of the host's own model with a name and an address that nobody has.

    Raises SandboxError for a model that wants more than that: pass its fields.
    """
    model, name = get_user_model(), f"user{next(_numbers)}"
    email = f"{name}@example.com"
    values = {model.USERNAME_FIELD: email if model.USERNAME_FIELD == "email" else name}
    values.setdefault(getattr(model, "EMAIL_FIELD", "email"), email)
    try:
        return model._default_manager.create_user(**{**values, **fields})
    except (TypeError, AttributeError) as error:
        raise SandboxError(
            f"{model.__name__} cannot be made from {', '.join({**values, **fields})}: {error}. "
            "Pass the fields that it needs, or a user of yours."
        ) from error


def make_user_on(plan: str | SubscriptionPlan, user: AbstractBaseUser | None = None, **fields: Any) -> Any:
    """Put a user on a plan without payment, as the admin does; a new user unless one is given.

    Nothing is asked of Stripe: for a subscription that renews, fails and ends take `subscribed_user`.
    """
    found = plan_of(plan)
    user = user or make_user(**fields)
    assign_plan(user, found)
    return user


def plan_of(plan: str | SubscriptionPlan) -> SubscriptionPlan:
    """Return the plan's row as it is now. Raises SandboxError for a slug that no plan has."""
    slug = plan if isinstance(plan, str) else plan.slug
    rows = SubscriptionPlan.objects.filter(slug=slug)
    if slug in get_settings().PLANS and not rows.exists():
        seed_plans()
    found = rows.first()
    if found is None:
        known = ", ".join(SubscriptionPlan.objects.values_list("slug", flat=True)) or "none yet"
        raise SandboxError(f"There is no plan {slug!r}. Plans: {known}.")
    return found
