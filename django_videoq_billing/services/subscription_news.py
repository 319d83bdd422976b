"""What a user is told when the subscription has become different, read from the row before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import outbox

Kind, Status = Notification.Kind, UserSubscription.Status

News = tuple[Notification.Kind, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Before:
    """The row as it was."""

    plan: SubscriptionPlan
    status: str
    stripe_subscription_id: str | None
    is_billed: bool
    ends: bool
    pending: tuple[int | None, datetime | None]
    grace_period_end: datetime | None

    @classmethod
    def of(cls, row: UserSubscription) -> Self:
        return cls(
            plan=row.plan,
            status=row.status,
            stripe_subscription_id=row.stripe_subscription_id,
            is_billed=row.is_billed,
            ends=row.cancel_at_period_end,
            pending=(row.pending_plan_id, row.pending_plan_effective_at),
            grace_period_end=row.grace_period_end,
        )


def tell(before: Before, row: UserSubscription, *, unpaid: bool) -> None:
    """Write the news into the outbox, in the transaction that writes the row.

    `unpaid` says that Stripe ended the subscription because nobody paid. The ticket of the sync that saw a
    change is its name, so that each is told once.
    """
    found = [*_of_plan(before, row), *_of_its_end(before, row, unpaid), *_of_payment(before, row)]
    for kind, key, facts in found:
        outbox.add(kind, row.user_id, key, facts)


def _of_plan(before: Before, row: UserSubscription) -> Iterator[News]:
    ticket = str(row.sync_applied)
    began = not before.is_billed or row.stripe_subscription_id != before.stripe_subscription_id
    changed = row.plan_id != before.plan.pk
    if not row.is_billed:
        return
    if row.is_active and (began or (changed and row.plan.is_upgrade_from(before.plan))):
        yield Kind.UPGRADE_CONFIRMED, ticket, {"plan": row.plan.slug}
    elif changed and not began:
        yield Kind.DOWNGRADE_DONE, ticket, {"plan": row.plan.slug, "from": before.plan.slug}
    pending = (row.pending_plan_id, row.pending_plan_effective_at)
    if row.pending_plan and row.pending_plan_effective_at and pending != before.pending:
        at = row.pending_plan_effective_at.isoformat()
        yield Kind.DOWNGRADE_SCHEDULED, ticket, {"plan": row.pending_plan.slug, "at": at}


def _of_its_end(before: Before, row: UserSubscription, unpaid: bool) -> Iterator[News]:
    ticket = str(row.sync_applied)
    same = row.stripe_subscription_id == before.stripe_subscription_id
    if before.is_billed and row.status == Status.CANCELLED:
        yield Kind.CANCELLATION_DONE, ticket, {"plan": before.plan.slug, "unpaid": unpaid}
    elif row.is_billed and row.cancel_at_period_end and not (before.ends and same):
        at = row.current_period_end.isoformat()
        yield Kind.CANCELLATION_SCHEDULED, ticket, {"at": at}
    elif _goes_on(before, row) and row.plan_id == before.plan.pk:  # a change of plan is news enough
        yield Kind.REACTIVATED, ticket, {"plan": row.plan.slug}


def _goes_on(before: Before, row: UserSubscription) -> bool:
    same = row.stripe_subscription_id == before.stripe_subscription_id
    return same and before.ends and row.is_billed and not row.cancel_at_period_end


def _of_payment(before: Before, row: UserSubscription) -> Iterator[News]:
    if row.status == Status.PAST_DUE and before.status != Status.PAST_DUE and row.grace_period_end:
        yield from of_open_payment(row.grace_period_end)
    elif row.status == Status.UNPAID and before.is_billed and before.status != Status.UNPAID:
        yield _grace_is_over(before.grace_period_end or row.current_period_start)


def of_open_payment(grace_end: datetime) -> Iterator[News]:
    """What is to be told now of a renewal that was not paid: the latest step that is due, and none before it.

    The end of the grace period names the failure, so that each step is told once for it.
    """
    now, grace = timezone.now(), get_settings().GRACE_PERIOD_DAYS
    if now >= grace_end + max(outbox.NEWS, timedelta(days=grace)):
        return
    if grace and now >= grace_end:
        yield _grace_is_over(grace_end)
        return
    days_before_end = {
        0: grace,
        **{day: grace - day for day in get_settings().PAYMENT_REMINDER_DAYS if day < grace},
    }
    due = [step for step, left in days_before_end.items() if now >= grace_end - timedelta(days=left)]
    step, end = max(due, default=0), grace_end.isoformat()
    yield Kind.PAYMENT_FAILED, f"{end}/{step}", {"step": step, "grace_end": end}


def _grace_is_over(grace_end: datetime) -> News:
    end = grace_end.isoformat()
    return Kind.GRACE_ENDED, end, {"grace_end": end}


def of_trial(trial_end: datetime) -> Iterator[News]:
    """What is to be told now of a trial: that it ends, a few days before it does."""
    if trial_end - timedelta(days=get_settings().TRIAL_ENDING_DAYS) <= timezone.now() < trial_end:
        end = trial_end.isoformat()
        yield Kind.TRIAL_ENDING, end, {"at": end}
