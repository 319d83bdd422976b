"""Periods whose end Stripe has not told us of: renewals, downgrades and cancellations that are late or lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from django_videoq_billing.exceptions import BillingError, StripeUnavailable
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.models.subscriptions import UserSubscriptionQuerySet
from django_videoq_billing.services.stripe_sync import sync_customer

logger = logging.getLogger("django_videoq_billing")

Status = UserSubscription.Status

BATCH = 200
LATE = timedelta(minutes=5)
"""How long the webhook is given; the limits themselves follow the clock and wait for nobody."""
AGAIN = timedelta(hours=1)
"""When Stripe is asked again about a period that, it says, is not over."""


def catch_up(may_go_on: Callable[[], bool] = lambda: True) -> Iterator[int]:
    """Ask Stripe about each subscription whose period has ended here; yield 1 for each that was asked about.

    A customer who cannot be read is logged and left to the next run. Raises StripeUnavailable where Stripe
    does not answer. Safe to run twice and in several places at once.
    """
    last = 0
    while batch := list(
        _late().filter(pk__gt=last).order_by("pk").values_list("pk", "stripe_customer_id")[:BATCH]
    ):
        for pk, customer_id in batch:
            if not may_go_on():
                return
            _ask(pk, customer_id)
            yield 1
        last = batch[-1][0]


def _ask(pk: int, customer_id: str | None) -> None:
    try:
        sync_customer(str(customer_id))
    except StripeUnavailable:
        raise
    except BillingError:
        logger.exception("period_end_not_synced", extra={"subscription": pk})


def _late() -> UserSubscriptionQuerySet:
    """A paused subscription has no period that goes on."""
    now = timezone.now()
    running = UserSubscription.objects.filter(
        status__in=set(UserSubscription.BILLED_STATUSES) - {Status.PAUSED}
    )
    ended = running.filter(current_period_end__lte=now - LATE).exclude(stripe_customer_id=None)
    unasked = Q(updated_at__lt=F("current_period_end")) | Q(updated_at__lt=now - AGAIN)
    return ended.filter(unasked, stripe_subscription_id__isnull=False)
