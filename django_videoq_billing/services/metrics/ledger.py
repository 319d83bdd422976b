from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import TruncDate

from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.services.metrics.figures import Dunning, Revenue, percent
from django_videoq_billing.types import Period

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status

PAYMENTS = (Type.SUBSCRIPTION_PAYMENT, Type.PRORATION, Type.OVERAGE_CHARGE)


def revenue_and_dunning(window: Period) -> tuple[list[Revenue], list[Dunning]]:
    """Add up the window's lines by currency, in one query."""
    found = [{name: value or 0 for name, value in row.items()} for row in _added_up(_lines(window))]
    return [_revenue(row) for row in found], [_dunning(row) for row in found]


def by_day(window: Period) -> Iterator[tuple[date, Revenue, Dunning]]:
    """Add up the window's lines by day (UTC) and currency, in one query."""
    for row in _added_up(_lines(window).annotate(day=TruncDate("created_at", tzinfo=UTC)), "day"):
        found = {name: value or 0 for name, value in row.items()}
        yield row["day"], _revenue(found), _dunning(found)


def _added_up(lines: Any, *keys: str) -> Any:
    paid_by_now = PaymentTransaction.objects.filter(
        stripe_object_id=OuterRef("stripe_object_id"), type=OuterRef("type"), status=Status.SUCCEEDED
    )
    failed = Q(type__in=PAYMENTS, status=Status.FAILED)
    recovered = failed & Q(recovered=True)
    return (
        lines.annotate(recovered=Exists(paid_by_now))
        .values(*keys, "currency")
        .annotate(
            payments=Sum("amount_cents", filter=Q(type__in=PAYMENTS, status=Status.SUCCEEDED)),
            refunds=Sum("amount_cents", filter=Q(type=Type.SUBSCRIPTION_REFUND)),
            disputes=Sum("amount_cents", filter=Q(type=Type.DISPUTE)),
            failures=Count("pk", filter=failed),
            failed_amount=Sum("amount_cents", filter=failed),
            recoveries=Count("pk", filter=recovered),
            recovered_amount=Sum("amount_cents", filter=recovered),
        )
        .order_by(*keys, "currency")
    )


def _lines(window: Period) -> Any:
    lines = PaymentTransaction.objects.order_by()
    return lines.filter(created_at__gte=window.start, created_at__lt=window.end)


def _revenue(row: dict[str, Any]) -> Revenue:
    parts = row["payments"], row["refunds"], row["disputes"]
    return Revenue(row["currency"], *parts, net=sum(parts))


def _dunning(row: dict[str, Any]) -> Dunning:
    return Dunning(
        row["currency"],
        row["failures"],
        row["failed_amount"],
        row["recoveries"],
        row["recovered_amount"],
        percent(row["recoveries"], row["failures"]),
    )


def new_customers(window: Period) -> int:
    """Count the users whose first payment ever lies in the window."""
    paid = PaymentTransaction.objects.order_by().filter(type__in=PAYMENTS, status=Status.SUCCEEDED)
    earlier = paid.filter(user_id=OuterRef("user_id"), created_at__lt=window.start)
    mine = paid.filter(created_at__gte=window.start, created_at__lt=window.end, user__isnull=False)
    return int(mine.filter(~Exists(earlier)).aggregate(count=Count("user_id", distinct=True))["count"])
