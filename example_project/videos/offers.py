"""The plans as one user sees them: which is the user's, and what can be done with each of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.entitlements import effective_plan, ensure_subscription
from example_project.videos.standing import day, is_overdue, is_paused


@dataclass(frozen=True, slots=True)
class Offer:
    """`action` is choose, change, cancel, keep, reactivate or nothing."""

    plan: SubscriptionPlan
    badge: str = ""
    level: str = ""
    action: str = ""

    @property
    def is_current(self) -> bool:
        return self.level in ("good", "warn", "bad")


def offers_for(user: AbstractBaseUser | AnonymousUser) -> list[Offer]:
    plans = list(SubscriptionPlan.objects.listed())
    if not user.is_authenticated:
        return [Offer(plan) for plan in plans]
    row = ensure_subscription(user)
    return [Offer(plan, *_badge(plan, row), _action(plan, row)) for plan in plans]


def _badge(plan: SubscriptionPlan, row: UserSubscription) -> tuple[str, str]:
    """The words on the card and their colour; "info" is the one to come, the others mark the user's own."""
    own = row.plan if row.is_billed else effective_plan(row)
    if plan.pk == own.pk:
        return _own_badge(row)
    if plan.pk == row.pending_plan_id and row.pending_plan_effective_at:
        return _("From %(date)s") % {"date": day(row.pending_plan_effective_at)}, "info"
    if plan.slug == get_settings().DEFAULT_PLAN and row.is_billed and row.cancel_at_period_end:
        return _("From %(date)s") % {"date": day(row.current_period_end)}, "info"
    return "", ""


def _own_badge(row: UserSubscription) -> tuple[str, str]:
    if is_overdue(row):
        return _("Payment overdue"), "bad"
    if is_paused(row):
        return _("Paused"), "warn"
    if ends := _ends(row):
        return _("Until %(date)s") % {"date": day(ends)}, "warn"
    return _("Your plan"), "good"


def _action(plan: SubscriptionPlan, row: UserSubscription) -> str:
    for_sale = bool(plan.stripe_price_id) and bool(get_settings().STRIPE_SECRET_KEY)
    if not row.is_billed:
        return "choose" if for_sale and plan.pk != effective_plan(row).pk else ""
    if plan.pk == row.plan_id:
        return "reactivate" if row.cancel_at_period_end else "keep" if row.pending_plan_id else ""
    if plan.slug == get_settings().DEFAULT_PLAN:
        return "" if row.cancel_at_period_end else "cancel"
    if plan.pk == row.pending_plan_id or not row.is_active:
        return ""
    return "change" if for_sale else ""


def _ends(row: UserSubscription) -> datetime | None:
    if not row.is_billed:
        return None
    return row.current_period_end if row.cancel_at_period_end else row.pending_plan_effective_at
