"""Noticing that usage has reached a threshold of its limit, and having the user told once.

The commit that brings usage there notices it, and where it could not (the process died, Redis was in the way, holds
overlapped) `alert_sweep` does, within minutes.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from django.db import IntegrityError, router, transaction
from django.db.models import Q
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import AccountInactive, NotAuthenticated
from django_videoq_billing.models import Notification, UsageAlert, UsageRecord
from django_videoq_billing.services import outbox
from django_videoq_billing.services.entitlements import AnyUser, entitlement_for
from django_videoq_billing.signals import quota_threshold_reached
from django_videoq_billing.types import Metric, Period, Reservation, UserId
from django_videoq_billing.usage import get_store

logger = logging.getLogger("django_videoq_billing")

LARGEST_MEMORY = 4096


class Memory:
    """What this process knows to be written down already. It forgets the oldest, which then costs a query."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, None] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, key: Any) -> bool:
        return key in self._known

    def add(self, key: Any) -> None:
        with self._lock:
            self._known[key] = None
            while len(self._known) > LARGEST_MEMORY:
                self._known.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


noticed = Memory()


def highest_reached(used: int, limit: int | None) -> int | None:
    """Return the highest of WARNING_THRESHOLDS that this usage has reached, or None. Asks no database."""
    if not limit or used <= 0:
        return None
    for threshold in reversed(get_settings().WARNING_THRESHOLDS):
        if used * 100 >= threshold * limit:
            return threshold
    return None


def settled(reservation: Reservation, actual: int | None = None) -> None:
    """A reservation was counted for good, with `actual` where that is another amount. Never raises."""
    what = reservation
    more = 0 if actual is None else actual - what.amount
    if more <= 0:
        counted(what.user_id, what.metric, what.period, what.used + more, what.limit)
    elif what.limit:  # who reserved after us has seen a counter without the surplus, and so have we
        _after_commit(_look, what.user_id, what.metric, what.period, what.limit)


def counted(user_id: UserId, metric: Metric, period: Period, used: int, limit: int | None) -> None:
    """Usage was counted for good and stood at `used` then. Below the lowest threshold this is arithmetic only.

    Never raises, and writes nothing before the transaction around it is committed.
    """
    threshold = highest_reached(used, limit)
    if threshold is not None and (user_id, metric, period.start, threshold, limit) not in noticed:
        _after_commit(_look, user_id, metric, period, limit)


def look_at(user: Callable[[], AnyUser], metric: Metric) -> None:
    """Usage was counted for good, and where it stands is not known. Never raises; `user` is asked after the commit."""
    _after_commit(_look_at, user, metric)


def notice(
    user_id: UserId, metric: Metric, period: Period, used: int, limit: int | None, *, tell: bool = True
) -> UsageAlert | None:
    """Write down that usage stands at `used` of `limit` if that is news; return the alert that was made.

    News is the highest threshold reached, once for each user, metric and period: a jump over several is one
    alert, and what a higher one has said already is said again only where the limit was raised since. Without
    `tell` it is only taken as said: by e-mail and signal nobody hears of it.
    """
    threshold = highest_reached(used, limit)
    if threshold is None or limit is None:
        return None
    alias = router.db_for_write(UsageAlert)
    about = {"user_id": user_id, "metric": metric, "period_start": period.start}
    said = Q(threshold=threshold) | Q(threshold__gt=threshold, limit__gte=limit)
    if UsageAlert.objects.using(alias).filter(said, **about).exists():
        return None
    try:
        with transaction.atomic(using=alias):
            alert = UsageAlert.objects.using(alias).create(
                **about,
                threshold=threshold,
                period_end=period.end,
                used=used,
                limit=limit,
                created_at=timezone.now(),
            )
            if tell:
                outbox.add(Notification.Kind.USAGE_WARNING, user_id, str(alert.pk))
                announce = partial(quota_threshold_reached.send_robust, UsageAlert, alert=alert)
                transaction.on_commit(announce, using=alias, robust=True)
    except IntegrityError:  # somebody else was faster, or the user is gone
        return None
    return alert


def _after_commit(work: Callable[..., None], *arguments: Any) -> None:
    """What is rolled back has not happened, and a statement that fails must not take the host's work with it."""
    try:
        transaction.on_commit(partial(_kept_quiet, work, *arguments), using=router.db_for_write(UsageRecord))
    except transaction.TransactionManagementError:  # the host commits by hand: the sweep sees it
        logger.debug("usage_alert_left_to_the_sweep")


def _kept_quiet(work: Callable[..., None], *arguments: Any) -> None:
    """The usage is counted; that a warning could not be written down changes nothing about it."""
    try:
        work(*arguments)
    except Exception:
        logger.exception("usage_alert_failed")


def _look(user_id: UserId, metric: Metric, period: Period, limit: int) -> None:
    """Ask where the counter stands without open holds, which may still be given back, and notice that."""
    used = get_store().committed(user_id, metric, period)
    key = (user_id, metric, period.start, highest_reached(used, limit), limit)
    if key[3] is None or key in noticed:
        return
    notice(user_id, metric, period, used, limit)
    noticed.add(key)


def _look_at(user: Callable[[], AnyUser], metric: Metric) -> None:
    try:
        entitlement = entitlement_for(user())
    except (AccountInactive, NotAuthenticated):
        return
    if limit := entitlement.limit(metric):
        _look(entitlement.user_id, metric, entitlement.period, limit)
