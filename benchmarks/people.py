"""Users by the million, and the choice of the population that is counted now."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connections, models
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.types import Period

PLENTY = 10**9
_population: ContextVar[str] = ContextVar("population", default="default")


class Router:
    """Everything of Django's ORM goes to the population's own database."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return _population.get()

    db_for_write = db_for_read

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True


def population_now() -> str:
    return _population.get()


@contextmanager
def population(name: str) -> Iterator[None]:
    token = _population.set(name)
    try:
        yield
    finally:
        _population.reset(token)


@dataclass(frozen=True, slots=True)
class People:
    """Users with ids from `first`, all on one plan and in one period."""

    first: int
    count: int
    period: Period
    video_limit: int

    @property
    def ids(self) -> range:
        return range(self.first, self.first + self.count)

    def anybody(self, rng: random.Random) -> User:
        return self.person(rng.choice(self.ids))

    def in_turn(self, rng: random.Random) -> Iterator[User]:
        """Everybody once, in some order, and again."""
        while True:
            yield from map(self.person, rng.sample(self.ids, self.count))

    def person(self, pk: int) -> User:
        """As a request has it: read before, so that no library has to."""
        return User(pk=pk, username=f"user{pk}", is_active=True)


def make_people(count: int, video_limit: int = PLENTY, used: int = 0) -> People:
    """Insert that many users, each with a subscription and a record of this period; a million takes a minute."""
    now = timezone.now()
    period = Period(now - timedelta(days=1), now + timedelta(days=29))
    plan = SubscriptionPlan.objects.create(
        name=f"{video_limit} videos, {now.timestamp()}",
        slug=f"plan-{SubscriptionPlan.objects.count()}",
        video_limit=video_limit,
    )
    [user] = User.objects.bulk_create([User(username=f"first{plan.pk}")])  # nobody gives it the default plan
    subscription = UserSubscription.objects.create(
        user=user, plan=plan, current_period_start=period.start, current_period_end=period.end
    )
    record = UsageRecord.objects.create(
        user=user,
        billing_period_start=period.start,
        billing_period_end=period.end,
        video_count=used,
        video_limit=video_limit,
    )
    number = f"{user.pk} + n"
    _multiply(user, count, {"id": number, "username": f"'user' || ({number})"})
    for row in (subscription, record):
        _multiply(row, count, {"id": f"{row.pk} + n", "user_id": number})
    return People(user.pk, count, period, video_limit)


def _multiply(row: models.Model, count: int, different: Mapping[str, str]) -> None:
    """Copy a row until there are `count`; `different` says in SQL what column has what in the copy number n."""
    table = row._meta.db_table
    columns = [str(field.column) for field in row._meta.concrete_fields]
    values = [f"({different[column]})" if column in different else f'"{column}"' for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    with connections[population_now()].cursor() as cursor:
        cursor.execute(  # our own names and numbers; nothing comes from outside
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} '  # noqa: S608
            f'FROM "{table}", generate_series(1, %s) AS n WHERE "id" = %s',
            [count - 1, row.pk],
        )
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM \"{table}\""  # noqa: S608
        )
        cursor.execute(f'ANALYZE "{table}"')
