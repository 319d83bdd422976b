from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error, transaction
from django.db.models import F
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.models.usage import UsageReservationQuerySet
from django_videoq_billing.types import (
    Counters,
    Entitlement,
    EntitlementSource,
    Metric,
    Reservation,
    ReservationState,
    UserId,
)
from django_videoq_billing.usage import postgres
from django_videoq_billing.usage.admission import Admission
from django_videoq_billing.usage.base import UsageStore
from django_videoq_billing.usage.rows import alias, give_back, holds, overdue, record_of, records, shift


class DatabaseUsageStore(UsageStore):
    """Counts in `UsageRecord`: one conditional UPDATE admits or refuses, its row lock decides every race.

    Every move that needs both rows locks the record first and the hold second. A move that the database undoes for a
    deadlock all the same is made again, unless it is part of a transaction of the host.
    """

    @again_after_deadlock(alias)
    def reserve(
        self,
        entitlement: EntitlementSource,
        metric: Metric,
        amount: int,
        *,
        key: str | None = None,
        hold: bool = True,
    ) -> Reservation:
        return Admission(entitlement(), metric, amount, key, hold=hold).answer()

    @again_after_deadlock(alias)
    def undo(self, reservation: Reservation) -> None:
        record = UsageRecord.objects.using(alias()).filter(
            user_id=reservation.user_id, billing_period_start=reservation.period.start
        )
        _give_back(lambda: shift(record, reservation.metric, -reservation.amount))

    @again_after_deadlock(alias)
    def commit(self, reservation_id: UUID, actual: int | None = None) -> bool:
        if rollback_is_certain():
            return False
        # The usual case needs no record, and so no transaction of its own: a lock that a failed attempt
        # took on the hold must be gone before the record is locked.
        if actual is None and _commit_as_reserved(reservation_id):
            return True
        with transaction.atomic(using=alias()):
            hold = _locked(reservation_id)
            if hold.state == ReservationState.COMMITTED:
                return False
            if hold.state == ReservationState.RELEASED:
                raise Conflict.already_settled(hold.get_state_display())
            counted = hold.amount if hold.state == ReservationState.HELD else 0
            final = hold.amount if actual is None else actual
            _settle(hold.pk, ReservationState.COMMITTED, settled=final, before=hold.state)
            shift(record_of(hold), Metric(hold.metric), final - counted)
        return True

    def settled_amount(self, reservation_id: UUID) -> int | None:
        committed = holds().filter(pk=reservation_id, state=ReservationState.COMMITTED)
        return committed.values_list("settled_amount", flat=True).first()

    @again_after_deadlock(alias)
    def release(self, reservation_id: UUID) -> bool:
        return _give_back(lambda: _release(reservation_id))

    @again_after_deadlock(alias)
    def add(self, entitlement: EntitlementSource, metric: Metric, amount: int) -> Counters:
        entitled = entitlement()
        with transaction.atomic(using=alias()):
            if amount < 0:
                shift(records(entitled), metric, amount)
            else:
                Admission(entitled, metric, amount, limited=False).count()
            return self.get(entitled)

    def get(self, entitlement: Entitlement) -> Counters:
        record = records(entitlement).first()
        return record.counters if record else Counters()

    def expire(self, now: datetime, *, user_id: UserId | None = None, batch_size: int = 500) -> int:
        wanted = overdue(now) if user_id is None else overdue(now).filter(user_id=user_id)
        expired = 0
        while count := _give_back_batch(wanted, batch_size):
            expired += count
        return expired


def rollback_is_certain() -> bool:
    """Whether the transaction around us is marked for rollback, as DRF does for an error under
    ATOMIC_REQUESTS. It takes a hold that was made in it back with everything else, and no statement may run
    in it any more."""
    connection = transaction.get_connection(alias())
    return bool(connection.in_atomic_block and connection.needs_rollback)


def _commit_as_reserved(reservation_id: UUID) -> bool:
    if postgres.is_used():
        return postgres.commit(reservation_id, timezone.now())
    return _settle(reservation_id, ReservationState.COMMITTED, settled=F("amount"))


def _give_back(move: Callable[[], bool | None]) -> bool:
    """Give back in the transaction around us, or have it rolled back, which gives back as well."""
    if rollback_is_certain():
        return True
    inside_transaction = transaction.get_connection(alias()).in_atomic_block
    try:
        return bool(move())
    except Error:  # what psycopg2 raises for a closed connection is no DatabaseError
        if not inside_transaction:
            raise
        # PostgreSQL runs nothing more in an aborted transaction. Rolling it back is what gives the
        # hold back, so make sure of that instead of hiding the error that the view is about to raise.
        transaction.set_rollback(True, using=alias())
        return True


@again_after_deadlock(alias)
def _give_back_batch(wanted: UsageReservationQuerySet, size: int) -> int:
    return give_back(wanted, size, skip_locked=True)


def _locked(reservation_id: UUID) -> UsageReservation:
    """Lock the hold's record and then the hold."""
    wanted = holds().filter(pk=reservation_id)
    record = UsageRecord.objects.using(alias()).filter(pk__in=wanted.values("record_id"))
    record.order_by().select_for_update().values_list("pk").first()
    hold = wanted.select_for_update().first()
    if hold is None:
        raise InvalidRequest.unknown_reservation()
    return hold


def _release(reservation_id: UUID) -> bool:
    with transaction.atomic(using=alias()):
        hold = _locked(reservation_id)
        if hold.state == ReservationState.COMMITTED:
            raise Conflict.already_settled(hold.get_state_display())
        if hold.state != ReservationState.HELD:
            return False
        _settle(hold.pk, ReservationState.RELEASED, settled=0, key=None)
        shift(record_of(hold), Metric(hold.metric), -hold.amount)
    return True


def _settle(
    reservation_id: UUID,
    state: ReservationState,
    *,
    settled: int | F,
    before: str = ReservationState.HELD,
    **changes: Any,
) -> bool:
    hold = holds().filter(pk=reservation_id, state=before)
    return bool(hold.update(state=state, settled_amount=settled, settled_at=timezone.now(), **changes))
