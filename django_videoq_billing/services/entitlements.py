"""Which plan a user effectively has, and in which period: the one answer to both questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, router, transaction
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import AccountInactive, NotAuthenticated
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.types import Entitlement, Period, UserId
from django_videoq_billing.usage import get_store

AnyUser = AbstractBaseUser | AnonymousUser


@dataclass(slots=True)
class EntitlementOf:
    """What a store is given: whose entitlement it is, and the entitlement itself if it has to ask."""

    user: AnyUser
    user_id: UserId
    answer: Entitlement | None = None
    """What was said when it was last asked; None where the store knew."""

    def __call__(self) -> Entitlement:
        self.answer = entitlement_for(self.user)
        return self.answer


_ENTITLING = (
    *("user_id", "status", "stripe_subscription_id", "current_period_start", "current_period_end"),
    *("period_anchor", "cancel_at_period_end", "grace_period_end"),
    *("pending_plan", "pending_plan_effective_at"),
    *("plan__slug", "plan__name", "plan__interval", "plan__video_limit", "plan__transcription_limit_minutes"),
    "plan__feature_flags",
)


def _subscription_of(user_id: UserId) -> UserSubscription | None:
    """The subscription as far as an entitlement needs it: this is asked for at each counted request."""
    rows = UserSubscription.objects.using(router.db_for_write(UserSubscription)).select_related("plan")
    return next(iter(rows.only(*_ENTITLING).filter(user_id=user_id).order_by()), None)


def entitlement_of(user: AnyUser) -> EntitlementOf:
    """Raises NotAuthenticated or AccountInactive. Asks no database."""
    return EntitlementOf(user, check_user(user))


def entitlement_for(user: AnyUser) -> Entitlement:
    """Return the limits and the period that count for this user now, read afresh from the database.

    A user without a subscription is given the default plan first; a period that has ended is rolled
    forward. Both are safe under concurrent first requests. Raises NotAuthenticated or AccountInactive.
    """
    subscription = _subscription_of(check_user(user)) or ensure_subscription(user)
    plan = effective_plan(subscription)
    period = current_period(subscription, plan)
    now, grace = timezone.now(), timedelta(days=get_settings().GRACE_PERIOD_DAYS)
    return Entitlement(
        user_id=subscription.user_id,
        plan_slug=plan.slug,
        plan_name=plan.name,
        video_limit=plan.video_limit,
        transcription_limit_seconds=plan.transcription_limit_seconds,
        period=period,
        feature_flags=plan.feature_flags,
        valid_until=min([period.end, *subscription.turning_points(now, grace)]),
    )


def plan_or_period_changed(user_id: UserId | None = None) -> None:
    """Have what the usage store remembers of the user, or of everybody, read afresh after the commit.

    Saving a subscription or a plan calls this; `QuerySet.update` on them does not, so call it then yourself.
    """
    transaction.on_commit(lambda: get_store().forget(user_id), robust=True)


def check_user(user: AnyUser | None) -> UserId:
    """Return the user's id. Raises NotAuthenticated for nobody, AccountInactive for a switched-off account."""
    user_id = None if user is None else user.pk
    if user is None or user_id is None or not user.is_authenticated:
        raise NotAuthenticated.no_user()
    if not user.is_active:
        raise AccountInactive.for_user()
    return user_id


def find_subscription(user: AnyUser) -> UserSubscription | None:
    """Return the user's subscription, or None. Writes nothing."""
    user_id = check_user(user)
    subscriptions = UserSubscription.objects.using(router.db_for_write(UserSubscription))
    return subscriptions.select_related("plan", "pending_plan").filter(user_id=user_id).first()


def ensure_subscription(user: AnyUser) -> UserSubscription:
    """Return the user's subscription; a user without one gets the default plan, once, whoever races."""
    try:
        return find_subscription(user) or give_default_plan(user.pk)
    except IntegrityError:
        if get_user_model()._default_manager.filter(pk=check_user(user)).exists():
            raise
        raise NotAuthenticated.no_user() from None  # the account was deleted in the middle of the request


def give_default_plan(user_id: UserId) -> UserSubscription:
    """Create the user's subscription to the default plan, from now; return the one that is there if any is."""
    plan = default_plan()
    now = timezone.now()
    period = Period(now, now).rolled_to(now, anchor=now, months=plan.months)
    subscription, _ = UserSubscription.objects.select_related("plan", "pending_plan").get_or_create(
        user_id=user_id,
        defaults={
            "plan": plan,
            "current_period_start": period.start,
            "current_period_end": period.end,
        },
    )
    return subscription


def effective_plan(subscription: UserSubscription) -> SubscriptionPlan:
    """Return the plan whose limits hold: the subscription's own, or the default plan where it gives none.

    A plan that was scheduled holds from its moment on, whether or not Stripe has reported the change.
    """
    if not has_access(subscription):
        return default_plan()
    pending = subscription.pending_plan if subscription.pending_plan_is_due(timezone.now()) else None
    return pending or subscription.plan


def has_access(subscription: UserSubscription) -> bool:
    """Whether the limits of the subscription's own plan hold now."""
    grace = timedelta(days=get_settings().GRACE_PERIOD_DAYS)
    return subscription.gives_access(timezone.now(), grace)


def current_period(subscription: UserSubscription, plan: SubscriptionPlan) -> Period:
    """Return the period that contains now, rolling one that has ended by the length of `plan`.

    Without Stripe the rolled period is saved. With Stripe it is a forecast: Stripe tells the true one a
    little later, with the same start, so a late webhook neither blocks the user nor counts twice.
    """
    now = timezone.now()
    anchor, months = subscription.period_anchor or subscription.current_period_start, plan.months
    if now < subscription.current_period_end:
        return _part_of(subscription.period, now, months)
    period = subscription.period.rolled_to(now, anchor=anchor, months=months)
    if subscription.period_is_ours:
        # Whoever comes second changes nothing: the row no longer ends where this caller saw it end.
        UserSubscription.objects.filter(
            pk=subscription.pk, current_period_end=subscription.current_period_end
        ).update(
            current_period_start=period.start,
            current_period_end=period.end,
            period_anchor=subscription.period.next_anchor(anchor, months),
            updated_at=now,
        )
    return period


def _part_of(period: Period, now: datetime, months: int) -> Period:
    """Return the part of a longer period that counts now: a yearly subscriber who fell back to a monthly
    plan has that plan's allowance each month. The odd day of a period set by hand makes no part."""
    first = Period(period.start, period.start)
    if period.end <= first.rolled_to(period.start, anchor=period.start, months=months + 1).end:
        return period
    return first.rolled_to(max(now, period.start), anchor=period.start, months=months)


def default_plan() -> SubscriptionPlan:
    """Return the plan that everybody has; made from the settings where `seed_plans` has not run yet.

    Names are unique: where another plan has the name already, the slug is added to it.
    """
    plan = get_settings().PLANS[get_settings().DEFAULT_PLAN]
    fields = plan.as_fields()
    try:
        return SubscriptionPlan.objects.get_or_create(slug=plan.slug, defaults=fields)[0]
    except IntegrityError:
        fields["name"] = f"{fields['name'][:40]} ({plan.slug})"
        return SubscriptionPlan.objects.get_or_create(slug=plan.slug, defaults=fields)[0]
