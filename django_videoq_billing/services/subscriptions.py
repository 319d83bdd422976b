"""Giving plans to users where no payment is involved."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import default_plan, give_default_plan
from django_videoq_billing.types import Period

logger = logging.getLogger("django_videoq_billing")


def assign_plan(user: AbstractBaseUser, plan: SubscriptionPlan) -> UserSubscription:
    """Put a user on a plan without payment, within the running period; counts from the next request.

    Usage of the period stays counted; a pending cancellation or change is dropped. Safe to call twice, and
    for an account that is switched off. Raises Conflict for a subscription that Stripe bills: it must be
    changed there.
    """
    give_default_plan(user.pk)
    with transaction.atomic():
        subscription = UserSubscription.objects.select_for_update().get(user_id=user.pk)
        if subscription.is_billed:
            raise Conflict.billed_by_stripe()
        subscription.stripe_subscription_id = None
        subscription.assigned_at = timezone.now()
        subscription.plan = plan
        subscription.status = UserSubscription.Status.ACTIVE
        subscription.cancel_at_period_end = False
        subscription.cancelled_at = subscription.trial_end = subscription.grace_period_end = None
        subscription.pending_plan = subscription.pending_plan_effective_at = None
        subscription.save()
    logger.info("plan_assigned", extra={"user_id": str(user.pk), "plan": plan.slug})
    return subscription


def assign_default_plan(batch_size: int = 1000) -> Iterator[int]:
    """Give the default plan to every user without a subscription, in batches; yield each batch's size.

    Safe to stop and to run again, and beside users who are just signing up.
    """
    plan = default_plan()
    users = get_user_model()._default_manager.filter(subscription__isnull=True).order_by("pk")
    last = None
    while True:
        remaining = users if last is None else users.filter(pk__gt=last)
        ids = list(remaining.values_list("pk", flat=True)[:batch_size])
        if not ids:
            return
        now = timezone.now()
        period = Period(now, now).rolled_to(now, anchor=now, months=plan.months)
        UserSubscription.objects.bulk_create(
            [
                UserSubscription(
                    user_id=user_id,
                    plan=plan,
                    current_period_start=period.start,
                    current_period_end=period.end,
                    period_anchor=period.start,
                )
                for user_id in ids
            ],
            ignore_conflicts=True,
        )
        yield len(ids)
        last = ids[-1]


def users_without_subscription() -> int:
    """Return how many users `assign_default_plan` would reach."""
    return get_user_model()._default_manager.filter(subscription__isnull=True).count()
