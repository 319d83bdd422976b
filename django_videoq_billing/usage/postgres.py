"""PostgreSQL counts and holds in one statement, and settles in another: as the ORM does in five, and as atomic."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.db import connections, transaction
from django.db.models import Model
from django.utils import timezone

from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.types import Entitlement, Metric, ReservationState
from django_videoq_billing.usage.rows import COUNTER, LAST_USED, alias, snapshot


def is_used() -> bool:
    return connections[alias()].vendor == "postgresql"


def count_and_hold(
    entitlement: Entitlement, metric: Metric, amount: int, limit: int | None, key: str | None, seconds: int
) -> tuple[int, UUID] | None:
    """Return where the counter stands now and the hold's id, or None where there is no room or no record.

    Raises IntegrityError for a key that is taken; a transaction around it goes on.
    """
    connection, now, hold_id = connections[alias()], timezone.now(), uuid4()
    remembered = snapshot(entitlement)
    values = {
        **remembered,
        "user": UsageRecord._meta.get_field("user").get_db_prep_value(entitlement.user_id, connection),
        "start": entitlement.period.start,
        "amount": amount,
        "room": None if limit is None else limit - amount,
        "now": now,
        "id": hold_id,
        "metric": metric.value,
        "state": ReservationState.HELD.value,
        "key": key,
        "expires": now + timedelta(seconds=seconds),
    }
    savepoint = transaction.atomic(using=alias()) if connection.in_atomic_block else nullcontext()
    with savepoint, connection.cursor() as cursor:
        cursor.execute(_count_and_hold(metric, tuple(remembered)), values)
        row = cursor.fetchone()
    return None if row is None else (row[0], hold_id)


def commit(hold_id: UUID, now: datetime) -> bool:
    """Settle an open hold with the amount reserved; False where it is not open."""
    with connections[alias()].cursor() as cursor:
        cursor.execute(
            _commit(),
            {
                "id": hold_id,
                "now": now,
                "held": ReservationState.HELD.value,
                "committed": ReservationState.COMMITTED.value,
            },
        )
        return bool(cursor.rowcount)


@cache
def _count_and_hold(metric: Metric, remembered: tuple[str, ...]) -> str:
    record, hold = _columns(UsageRecord), _columns(UsageReservation)
    counter = record[COUNTER[metric]]
    snapshot_columns = "".join(f", {record[name]} = %({name})s" for name in remembered)
    return f"""
        WITH counted AS (
            UPDATE {_table(UsageRecord)}
            SET {counter} = {counter} + %(amount)s, {record[LAST_USED[metric]]} = %(now)s,
                {record["updated_at"]} = %(now)s{snapshot_columns}
            WHERE {record["user"]} = %(user)s AND {record["billing_period_start"]} = %(start)s
              AND (%(room)s::bigint IS NULL OR {counter} <= %(room)s::bigint)
            RETURNING {record["id"]} AS record_id, {counter} AS used
        )
        INSERT INTO {_table(UsageReservation)} ({hold["id"]}, {hold["user"]}, {hold["record"]}, {hold["metric"]},
            {hold["amount"]}, {hold["state"]}, {hold["key"]}, {hold["expires_at"]}, {hold["created_at"]})
        SELECT %(id)s, %(user)s, record_id, %(metric)s, %(amount)s, %(state)s, %(key)s, %(expires)s, %(now)s
        FROM counted
        RETURNING (SELECT used FROM counted)
    """  # noqa: S608 (names of our own tables and columns; every value is a parameter)


@cache
def _commit() -> str:
    hold = _columns(UsageReservation)
    return f"""
        UPDATE {_table(UsageReservation)}
        SET {hold["state"]} = %(committed)s, {hold["settled_amount"]} = {hold["amount"]},
            {hold["settled_at"]} = %(now)s
        WHERE {hold["id"]} = %(id)s AND {hold["state"]} = %(held)s
    """  # noqa: S608 (names of our own tables and columns; every value is a parameter)


def _columns(model: type[Model]) -> dict[str, Any]:
    quote = connections[alias()].ops.quote_name
    return {field.name: quote(str(field.column)) for field in model._meta.concrete_fields}


def _table(model: type[Model]) -> str:
    return connections[alias()].ops.quote_name(model._meta.db_table)
