"""About the plan: it was changed or will be, it ends or goes on."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import default_plan, has_access
from django_videoq_billing.services.notifications.telling import (
    Case,
    Kind,
    Message,
    ensure,
    fallback,
    plan_text,
    tells,
)
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric

Status = UserSubscription.Status


@tells(Kind.UPGRADE_CONFIRMED)
def upgrade_confirmed(case: Case) -> Message:
    plan, row = _present_plan(case), case.row
    return case.message(plan=plan_text(plan), **_next_payment(row))


@tells(Kind.DOWNGRADE_SCHEDULED)
def downgrade_scheduled(case: Case) -> Message:
    plan, row, at = case.plan(), case.row, case.moment("at")
    ensure(row.pending_plan_id == plan.pk, "The change is not scheduled any more.")
    ensure(row.pending_plan_effective_at == at, "The change was moved to another day.")
    ensure(at > timezone.now(), "The change has taken place.")
    return case.message(
        plan=plan_text(plan), present=plan_text(row.plan), at=at, exceeded=_exceeded(case, plan)
    )


@tells(Kind.DOWNGRADE_DONE)
def downgrade_done(case: Case) -> Message:
    plan, row = _present_plan(case), case.row
    return case.message(plan=plan_text(plan), previous=plan_text(case.plan("from")), **_next_payment(row))


@tells(Kind.CANCELLATION_SCHEDULED)
def cancellation_scheduled(case: Case) -> Message:
    row, at = case.row, case.moment("at")
    ensure(row.cancel_at_period_end, "The cancellation was undone.")
    ensure(at > timezone.now(), "The cancellation has taken effect.")
    return case.message(
        plan=plan_text(row.plan), after=plan_text(default_plan()), at=at, is_overdue=not row.is_active
    )


@tells(Kind.CANCELLATION_DONE)
def cancellation_done(case: Case) -> Message:
    own = case.subscription
    going_on = own is not None and own.is_billed and has_access(own)
    ensure(not going_on, "The user has subscribed again.")
    return case.message(
        plan=plan_text(case.plan()), after=fallback(case), unpaid=bool(case.facts.get("unpaid"))
    )


@tells(Kind.REACTIVATED)
def reactivated(case: Case) -> Message:
    plan, row = _present_plan(case), case.row
    ensure(not row.cancel_at_period_end, "It was cancelled again.")
    return case.message(plan=plan_text(plan), **_next_payment(row))


@tells(Kind.TRIAL_ENDING)
def trial_ending(case: Case) -> Message:
    row, at = case.row, case.moment("at")
    ensure(row.status == Status.TRIALING, "The trial is over.")
    ensure(row.trial_end == at and at > timezone.now(), "The trial ends at another time.")
    ensure(not row.cancel_at_period_end, "Nothing will be charged: it was cancelled.")
    return case.message(plan=plan_text(row.pending_plan or row.plan), at=at)


def _present_plan(case: Case) -> SubscriptionPlan:
    """Return the plan of the facts; raises Outdated where the user has another by now."""
    plan, row = case.plan(), case.row
    ensure(row.plan_id == plan.pk and has_access(row), "The user has another plan by now.")
    return plan


def _next_payment(row: UserSubscription) -> dict[str, Any]:
    """When money is charged next, if it will be; a plan that was given to the user costs nothing."""
    charged = row.is_billed and row.is_active and not row.cancel_at_period_end and not row.plan.is_free
    on_trial = row.status == Status.TRIALING
    return {
        "is_given": not row.is_billed,
        "next_payment_at": row.current_period_end if charged else None,
        "trial_end": row.trial_end if on_trial and charged else None,
    }


def _exceeded(case: Case, plan: SubscriptionPlan) -> list[dict[str, Any]]:
    """What was used in this period that would be over the plan's limits, in videos and minutes."""
    report = UsageTracker.report(case.user)
    over = []
    for metric in Metric:
        used, limit = report.counters.used(metric), plan.limit(metric)
        if limit is not None and used > limit:
            unit = 60 if metric is Metric.TRANSCRIPTION else 1
            over.append({"metric": metric.value, "used": -(-used // unit), "limit": limit // unit})
    return over
