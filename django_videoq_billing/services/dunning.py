"""Following up what nobody is looking at: renewals that were not paid, and trials that are about to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.models.subscriptions import UserSubscriptionQuerySet
from django_videoq_billing.services import outbox
from django_videoq_billing.services.subscription_news import News, of_open_payment, of_trial

Status = UserSubscription.Status

BATCH = 500


def remind(may_go_on: Callable[[], bool] = lambda: True) -> Iterator[int]:
    """Write into the outbox what users are to be told today, in batches; yield how many rows each looked at.

    Safe to run twice and in several places at once: each step has its own name in the outbox, and what is not
    true any more when it is sent is not sent.
    """
    for rows, news_of in ((_unpaid(), _of_unpaid), (_trials(), _of_trial)):
        last = 0
        while may_go_on() and (batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH])):
            outbox.add_all((row.user_id, news) for row in batch for news in news_of(row))
            last = batch[-1].pk
            yield len(batch)


def _unpaid() -> UserSubscriptionQuerySet:
    """Past due, and not for so long that there is nothing left to tell."""
    days = timedelta(days=get_settings().GRACE_PERIOD_DAYS)
    longest = timezone.now() - max(outbox.NEWS, days)
    return UserSubscription.objects.filter(status=Status.PAST_DUE, grace_period_end__gt=longest)


def _of_unpaid(row: UserSubscription) -> Iterator[News]:
    if row.grace_period_end is not None:
        yield from of_open_payment(row.grace_period_end)


def _trials() -> UserSubscriptionQuerySet:
    now = timezone.now()
    soon = now + timedelta(days=get_settings().TRIAL_ENDING_DAYS)
    ending = UserSubscription.objects.filter(status=Status.TRIALING, cancel_at_period_end=False)
    return ending.filter(trial_end__gt=now, trial_end__lte=soon)


def _of_trial(row: UserSubscription) -> Iterator[News]:
    if row.trial_end is not None:
        yield from of_trial(row.trial_end)
