"""Usage counted anew from the host's own data, beside what the store has counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Sum
from django.utils.module_loading import import_string

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import UsageReservation
from django_videoq_billing.services import counting, usage_tracker
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.types import Entitlement, Metric, Period
from django_videoq_billing.usage import get_store

Recount = Callable[[AbstractBaseUser, Period], int]

_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Recounted:
    """One user's usage of the current period: as counted, and as it should be.

    `expected` is what the host's data says and what open holds have reserved on top of it. `moving` says that
    the counter changed during every look, so that nothing can be concluded.
    """

    user: AbstractBaseUser
    metric: Metric
    counted: int
    expected: int
    moving: bool = False

    @property
    def difference(self) -> int:
        return self.expected - self.counted


def recounted(
    metrics: list[Metric] | None = None, user: AbstractBaseUser | None = None
) -> Iterator[Recounted]:
    """Compare every active user who has a plan (or one), by the functions of RECOUNT. Changes nothing but to flush.

    Raises ImproperlyConfigured where RECOUNT has no function for a metric that was asked for.
    """
    known = get_settings().RECOUNT
    asked = metrics or [Metric(name) for name in known]
    if missing := [str(metric) for metric in asked if metric not in known]:
        raise ImproperlyConfigured(f"VIDEOQ_BILLING['RECOUNT'] names no function for {', '.join(missing)}.")
    functions = {metric: _function(known[metric]) for metric in asked}
    counting.flush()
    users = (
        get_user_model()._default_manager.filter(is_active=True, subscription__isnull=False).order_by("pk")
    )
    for each in [user] if user is not None else users.iterator(chunk_size=1000):
        for metric, function in functions.items():
            yield _compare(each, metric, function)


def mend(found: Recounted) -> None:
    """Move the counter by the difference; what is counted at the same moment is not lost. Not idempotent."""
    if found.difference and not found.moving:
        usage_tracker.add(found.user, found.metric, found.difference)


def _compare(user: AbstractBaseUser, metric: Metric, function: Recount) -> Recounted:
    """An upload that ends between two looks would look like a difference: look until nothing moved."""
    store, entitlement = get_store(), entitlement_for(user)
    before = store.get(entitlement).used(metric)
    for _ in range(_LOOKS):
        expected = function(user, entitlement.period) + _held(entitlement, metric)
        counted = store.get(entitlement).used(metric)
        if counted == before:
            return Recounted(user, metric, counted, expected)
        store.flush()
        before = store.get(entitlement).used(metric)
    return Recounted(user, metric, before, expected, moving=True)


def _held(entitlement: Entitlement, metric: Metric) -> int:
    """What running operations have reserved; the host has no data of them yet."""
    open_holds = UsageReservation.objects.held().filter(user_id=entitlement.user_id, metric=metric)
    mine = open_holds.filter(record__billing_period_start=entitlement.period.start)
    return int(mine.aggregate(total=Sum("amount"))["total"] or 0)


def _function(path: str) -> Recount:
    function: Recount = import_string(path)
    return function
