"""Bringing in the users of a site that had another limit before: everybody on a plan, and what they have used.

Safe to stop anywhere and to run again, also in two places at once. A counter is filled only while it stands at
zero after the host was asked: an upload under way has moved it by then, so nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.models.upserts import insert_missing
from django_videoq_billing.services import usage_alerts
from django_videoq_billing.services.entitlements import (
    entitlement_for,
    entitlement_of,
    plan_or_period_changed,
)
from django_videoq_billing.types import MAX_AMOUNT, Entitlement, Metric, Period, UserId
from django_videoq_billing.usage import get_store

Count = Callable[[AbstractBaseUser, Period], int | Mapping[str, int]]
"""What the host says that a user has used in a period: videos alone, or amounts by metric."""

Amounts = Mapping[Metric, int]
Fill = Callable[[AbstractBaseUser, Period, Amounts], Amounts | None]


class Left(StrEnum):
    """Why nothing was counted for a user, and, but for the last, no plan given."""

    AT_STRIPE = "has, or had, a subscription at Stripe"
    COUNTED = "has counted usage already"
    CHANGED = "was changed elsewhere meanwhile"
    SWITCHED_OFF = "is switched off: has the plan, nothing is counted"


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done, or would be, for one user. `error` says what the host's function did wrong."""

    user: AbstractBaseUser
    given: bool = False
    counted: Amounts = field(default_factory=dict)
    left: Left | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class MoveIn:
    """`anchor` is where periods begin, so that the running one is known; without `count` only plans are given."""

    plan: SubscriptionPlan
    anchor: datetime
    count: Count | None = None
    batch_size: int = 500

    def period(self) -> Period:
        """The running period, the same for everybody who moves in."""
        start = Period(self.anchor, self.anchor)
        return start.rolled_to(timezone.now(), anchor=self.anchor, months=self.plan.months)

    def run(self) -> Iterator[Moved]:
        """Move everybody in, by primary key, and say what was done. Raises UsageUnavailable; then run it again."""
        for users in self._batches():
            get_store().flush()
            left, changed = self._give_plan(users)
            for user in users:
                yield self._outcome(user, left.get(user.pk), user.pk in changed, _fill)

    def rehearse(self) -> Iterator[Moved]:
        """Say what `run` would do, and write nothing. Usage that a store has not flushed may be missed."""
        for users in self._batches():
            rows = {row.user_id: row for row in _rows(users)}
            used, period = _users_with_usage(users), self.period()
            for user in users:
                row = rows.get(user.pk)
                left = None if row is None else self._reason_to_leave(row, used)
                given = left is None and not (row and self._has_moved(row, period))
                yield self._outcome(user, left, given, self._would_fill)

    def _batches(self) -> Iterator[Sequence[AbstractBaseUser]]:
        everybody = get_user_model()._default_manager.order_by("pk")
        batch = list(everybody[: self.batch_size])
        while batch:
            yield batch
            batch = list(everybody.filter(pk__gt=batch[-1].pk)[: self.batch_size])

    @again_after_deadlock()
    def _give_plan(self, users: Sequence[AbstractBaseUser]) -> tuple[dict[UserId, Left], set[UserId]]:
        """Write plan and period of a batch; return who was left out and why, and whose row became different."""
        used, period = _users_with_usage(users), self.period()
        fields = {
            "plan": self.plan,
            "current_period_start": period.start,
            "current_period_end": period.end,
            "period_anchor": self.anchor,
        }
        with transaction.atomic():
            known = set(_rows(users).values_list("user_id", flat=True))
            new = [UserSubscription(user_id=user.pk, **fields) for user in users if user.pk not in known]
            insert_missing(UserSubscription.objects.all(), new, ["user"])
            rows = _rows(users).order_by("pk").select_for_update()
            left, different = {}, []
            for row in rows:
                if reason := self._reason_to_leave(row, used):
                    left[row.user_id] = reason
                elif not self._has_moved(row, period):
                    different.append(row)
            UserSubscription.objects.filter(pk__in=[row.pk for row in different]).update(
                **fields, **_UNPAID, assigned_at=timezone.now(), updated_at=timezone.now()
            )
            changed = {row.user_id for row in different}
            for user_id in changed:
                plan_or_period_changed(user_id)
        return left, changed | {row.user_id for row in new}

    def _reason_to_leave(self, row: UserSubscription, used: Collection[UserId]) -> Left | None:
        if row.stripe_subscription_id:
            return Left.AT_STRIPE
        if row.user_id in used and not self._is_ours(row):
            return Left.COUNTED
        return None

    def _is_ours(self, row: UserSubscription) -> bool:
        """Whether an earlier run has moved this user in: usage is then ours, or came after it."""
        return row.plan_id == self.plan.pk and row.period_anchor == self.anchor

    def _has_moved(self, row: UserSubscription, period: Period) -> bool:
        active = row.status == UserSubscription.Status.ACTIVE and not row.cancel_at_period_end
        return self._is_ours(row) and active and not row.pending_plan_id and row.period == period

    def _outcome(self, user: AbstractBaseUser, left: Left | None, given: bool, fill: Fill) -> Moved:
        if left is None and self.count and not user.is_active:
            left = Left.SWITCHED_OFF
        if left is not None or self.count is None:
            return Moved(user, given, left=left)
        period = self.period()
        try:
            amounts = _asked(self.count, user, period)
        except Exception as error:  # whatever it is, the others are not to wait for it
            return Moved(user, given, error=f"{type(error).__name__}: {error}")
        counted = fill(user, period, amounts) if any(amounts.values()) else {}
        return Moved(user, given, left=Left.CHANGED) if counted is None else Moved(user, given, counted)

    def _would_fill(self, user: AbstractBaseUser, period: Period, amounts: Amounts) -> Amounts:
        limits = self.plan.video_limit, self.plan.transcription_limit_seconds
        return _missing(Entitlement(user.pk, self.plan.slug, self.plan.name, *limits, period), amounts)


_UNPAID: dict[str, Any] = {
    "status": UserSubscription.Status.ACTIVE,
    "stripe_subscription_id": None,
    "cancel_at_period_end": False,
    **dict.fromkeys(["cancelled_at", "trial_end", "grace_period_end"]),
    **dict.fromkeys(["pending_plan", "pending_plan_effective_at"]),
}


def users_to_move() -> int:
    return get_user_model()._default_manager.count()


def count_function(path: str) -> Count:
    """Return the function at the dotted path; raises ImproperlyConfigured or ImportError."""
    function: Count = import_string(path)
    if not callable(function):
        raise ImproperlyConfigured(f"{path} is no function.")
    return function


def recount_function() -> Count | None:
    """Return the functions of RECOUNT as one; None where there are none."""
    functions = {name: import_string(path) for name, path in get_settings().RECOUNT.items()}
    if not functions:
        return None
    return lambda user, period: {name: function(user, period) for name, function in functions.items()}


def _rows(users: Sequence[AbstractBaseUser]) -> QuerySet[UserSubscription]:
    return UserSubscription.objects.filter(user_id__in=[user.pk for user in users])


def _users_with_usage(users: Sequence[AbstractBaseUser]) -> set[UserId]:
    used = Q(video_count__gt=0) | Q(transcription_seconds__gt=0)
    return set(
        UsageRecord.objects.filter(used, user_id__in=[user.pk for user in users]).values_list(
            "user_id", flat=True
        )
    )


def _asked(count: Count, user: AbstractBaseUser, period: Period) -> Amounts:
    """Return what the host says, by metric; raises ValueError for an answer that is no amount."""
    answer = count(user, period)
    by_metric: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {Metric.VIDEO: answer}
    amounts = {Metric(name): amount for name, amount in by_metric.items()}
    for metric, amount in amounts.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= MAX_AMOUNT:
            raise ValueError(f"{amount!r} is no amount of {metric}: a whole number from 0 to {MAX_AMOUNT}")
    return amounts


@again_after_deadlock()
def _fill(user: AbstractBaseUser, period: Period, amounts: Amounts) -> Amounts | None:
    """Count what is missing; None where the user is in another period by now.

    The row's lock makes a second run wait, and see what the first has counted.
    """
    with transaction.atomic():
        UserSubscription.objects.filter(user_id=user.pk).update(updated_at=timezone.now())
        entitlement = entitlement_for(user)
        if entitlement.period != period:
            return None
        missing = _missing(entitlement, amounts)
        for metric, amount in missing.items():
            counters = get_store().add(entitlement_of(user), metric, amount)
            limit = entitlement.limit(metric)
            # The old site has warned, or nobody has; that the site moved is no news to the user.
            usage_alerts.notice(user.pk, metric, period, counters.used(metric), limit, tell=False)
    return missing


def _missing(entitlement: Entitlement, amounts: Amounts) -> Amounts:
    """What a counter that has counted anything shows already is left as it is."""
    counters = get_store().get(entitlement)
    return {metric: amount for metric, amount in amounts.items() if amount and not counters.used(metric)}
