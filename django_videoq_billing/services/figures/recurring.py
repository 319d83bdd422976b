"""What each user pays a year, and how that moved today: the present beside what the last look has kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import Cast

from django_videoq_billing.models import RecurringAmount, SubscriptionPlan, UserSubscription
from django_videoq_billing.models.upserts import upsert
from django_videoq_billing.services.metrics.subscriptions import paying

BATCH = 1000

_SAME = Q(a_year=F("opening_a_year"), currency=F("opening_currency"))


@dataclass(slots=True)
class Movement:
    """Of one currency, a year's amounts; all but `arr` and `subscriptions` are of one day, and none is negative."""

    subscriptions: int = 0
    arr: int = 0
    new: int = 0
    expansion: int = 0
    contraction: int = 0
    churn: int = 0
    subscriptions_new: int = 0
    subscriptions_churned: int = 0

    def moved(self, before: int, after: int) -> None:
        """Book that somebody who paid `before` in this currency pays `after` now."""
        if not before:
            self.new += after
            self.subscriptions_new += 1
        elif not after:
            self.churn += before
            self.subscriptions_churned += 1
        else:
            self.expansion += max(after - before, 0)
            self.contraction += max(before - after, 0)


def book(moves: dict[str, Movement], before: tuple[str, int], after: tuple[str, int]) -> None:
    """A change of currency is an end in the one and a beginning in the other: money is never converted."""
    if before[0] == after[0] or not before[1] or not after[1]:
        if before[1] != after[1]:
            moves.setdefault(after[0] if after[1] else before[0], Movement()).moved(before[1], after[1])
        return
    moves.setdefault(before[0], Movement()).moved(before[1], 0)
    moves.setdefault(after[0], Movement()).moved(0, after[1])


def open_day() -> None:
    """Let the movement begin anew, from what the last look saw."""
    RecurringAmount.objects.filter(a_year=0).delete()
    RecurringAmount.objects.exclude(_SAME).update(opening_a_year=F("a_year"), opening_currency=F("currency"))


def look(now: datetime) -> None:
    """Keep what every user pays now; writes only what differs from the last look."""
    found = _begun_or_changed(now)
    while rows := list(islice(found, BATCH)):
        upsert(RecurringAmount.objects.all(), rows, ["user"], ["plan", "currency", "a_year"])
    pays = UserSubscription.objects.filter(paying(now), user_id=OuterRef("user_id"))
    RecurringAmount.objects.filter(~Exists(pays), a_year__gt=0).update(a_year=0)


def movements() -> dict[str, Movement]:
    """Return each currency's state and the movement of the day that was opened last; two queries."""
    found: dict[str, Movement] = {}
    running = RecurringAmount.objects.filter(a_year__gt=0).order_by("currency").values("currency")
    for row in running.annotate(arr=Sum("a_year"), count=Count("pk")):
        found[row["currency"]] = Movement(subscriptions=row["count"], arr=row["arr"])
    moved = RecurringAmount.objects.exclude(_SAME).values_list(
        "opening_currency", "opening_a_year", "currency", "a_year"
    )
    for before_in, before, after_in, after in moved.iterator():
        book(found, (before_in, before), (after_in, after))
    return found


def _begun_or_changed(now: datetime) -> Iterator[RecurringAmount]:
    kept = Q(
        user__recurring_amount__a_year=F("amount"),
        user__recurring_amount__currency=F("plan__currency"),
        user__recurring_amount__plan=F("plan__slug"),
    )
    rows = _paid(now).filter(~kept | Q(user__recurring_amount__isnull=True)).order_by()
    for user_id, plan, currency, amount in rows.values_list(
        "user_id", "plan__slug", "plan__currency", "amount"
    ):
        yield RecurringAmount(user_id=user_id, plan=plan, currency=currency, a_year=amount)


def _paid(now: datetime) -> QuerySet[Any]:
    yearly = When(plan__interval=SubscriptionPlan.Interval.YEAR, then=F("plan__price_cents"))
    a_year = Case(yearly, default=F("plan__price_cents") * 12, output_field=IntegerField())
    return UserSubscription.objects.filter(paying(now)).annotate(amount=Cast(a_year, IntegerField()))
