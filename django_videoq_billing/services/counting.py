"""The usage store, with what an operator wants to see of it: counters, spans and records of the log."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django_videoq_billing import instruments
from django_videoq_billing.types import EntitlementSource, Metric, Reservation, StoreLag
from django_videoq_billing.usage import get_store

logger = logging.getLogger("django_videoq_billing")


def reserve(
    entitlement: EntitlementSource, metric: Metric, amount: int, *, key: str | None = None, hold: bool = True
) -> Reservation:
    """See `UsageStore.reserve`."""
    with instruments.span("reserve", metric=metric.value, amount=amount) as span:
        reservation = get_store().reserve(entitlement, metric, amount, key=key, hold=hold)
        span.set(granted=reservation.granted, replayed=reservation.replayed)
    if not reservation.granted:
        instruments.count("refused", metric=metric.value)
        logger.info(
            "quota_refused",
            extra={
                "user_id": str(reservation.user_id),
                "metric": metric.value,
                "amount": amount,
                "used": reservation.used,
                "limit": reservation.limit,
            },
        )
    elif not reservation.replayed:
        instruments.count("admitted", metric=metric.value)
    return reservation


def commit(reservation_id: UUID, actual: int | None = None) -> bool:
    """See `UsageStore.commit`."""
    with instruments.span("commit"):
        return get_store().commit(reservation_id, actual)


def release(reservation_id: UUID) -> bool:
    """See `UsageStore.release`."""
    with instruments.span("release"):
        return get_store().release(reservation_id)


def expire(now: datetime) -> int:
    """See `UsageStore.expire`."""
    given_back = get_store().expire(now)
    if given_back:
        logger.info("holds_expired", extra={"count": given_back})
    return given_back


def flush() -> int:
    """See `UsageStore.flush`."""
    with instruments.span("flush") as span:
        moved = get_store().flush()
        span.set(entries=moved)
    if moved:
        instruments.count("usage_flushed", moved)
        logger.debug("usage_flushed", extra={"entries": moved})
    return moved


def lag() -> StoreLag:
    """See `UsageStore.lag`."""
    return get_store().lag()


def clear() -> None:
    """See `UsageStore.clear`."""
    get_store().clear()
