from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, models, router, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import UsageRecord, UsageReservation
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
from django_videoq_billing.usage.base import UsageStore

_COUNTER = {Metric.VIDEO: "video_count", Metric.TRANSCRIPTION: "transcription_seconds"}
_LAST_USED = {Metric.VIDEO: "last_video_uploaded_at", Metric.TRANSCRIPTION: "last_transcription_at"}


class DatabaseUsageStore(UsageStore):
    """Counts in `UsageRecord`: one conditional UPDATE admits or refuses, its row lock decides every race.

    Locks are taken in one order, hold before record. `reserve` alone starts at the record; the hold it
    inserts is new and nobody else can be waiting for it.
    """

    def reserve(
        self, entitlement: EntitlementSource, metric: Metric, amount: int, *, key: str | None = None
    ) -> Reservation:
        attempt = _Attempt(entitlement(), metric, amount, key)
        return (
            attempt.admit()
            or (attempt.admit() if self.expire(timezone.now(), user_id=attempt.entitlement.user_id) else None)
            or attempt.replay()
            or attempt.refusal()
        )

    def commit(self, reservation_id: UUID, actual: int | None = None) -> bool:
        if _rollback_is_certain():
            return False
        with transaction.atomic(using=_alias()):
            if actual is None and _settle(reservation_id, ReservationState.COMMITTED, settled=F("amount")):
                return True
            hold = _locked(reservation_id)
            if hold.state == ReservationState.COMMITTED:
                return False
            if hold.state == ReservationState.RELEASED:
                raise Conflict.already_settled(hold.get_state_display())
            counted = hold.amount if hold.state == ReservationState.HELD else 0
            final = hold.amount if actual is None else actual
            _settle(hold.pk, ReservationState.COMMITTED, settled=final, before=hold.state)
            _shift(hold.record_id, Metric(hold.metric), final - counted)
        return True

    def release(self, reservation_id: UUID) -> bool:
        if _rollback_is_certain():
            return True
        inside_transaction = transaction.get_connection(_alias()).in_atomic_block
        try:
            return _release(reservation_id)
        except DatabaseError:
            if not inside_transaction:
                raise
            # PostgreSQL runs nothing more in an aborted transaction. Rolling it back is what gives the
            # hold back, so make sure of that instead of hiding the error that the view is about to raise.
            transaction.set_rollback(True, using=_alias())
            return True

    def add(self, entitlement: Entitlement, metric: Metric, amount: int) -> Counters:
        attempt = _Attempt(entitlement, metric, amount, key=None, unlimited=True)
        with transaction.atomic(using=_alias()):
            attempt.count()
            return _records(entitlement).get().counters

    def get(self, entitlement: Entitlement) -> Counters:
        record = _records(entitlement).first()
        return record.counters if record else Counters()

    def expire(self, now: datetime, *, user_id: UserId | None = None, batch_size: int = 500) -> int:
        overdue = _holds().overdue(now)
        if user_id is not None:
            overdue = overdue.filter(user_id=user_id)
        expired = 0
        while count := _give_back(overdue, batch_size):
            expired += count
        return expired


class _Attempt:
    """One attempt to count: what is asked for, and the steps that can answer it."""

    def __init__(
        self,
        entitlement: Entitlement,
        metric: Metric,
        amount: int,
        key: str | None,
        *,
        unlimited: bool = False,
    ) -> None:
        self.entitlement = entitlement
        self.metric = metric
        self.amount = amount
        self.key = key
        self.limit = None if unlimited else entitlement.limit(metric)

    def admit(self) -> Reservation | None:
        """Count and hold; None when there is no room or the key is known, and then nothing was written."""
        try:
            with transaction.atomic(using=_alias()):
                if not self.count():
                    return None
                record_id, used = _records(self.entitlement).values_list("pk", _COUNTER[self.metric]).get()
                hold = _holds().create(
                    user_id=self.entitlement.user_id,
                    record_id=record_id,
                    metric=self.metric,
                    amount=self.amount,
                    key=self.key,
                    expires_at=timezone.now() + timedelta(seconds=get_settings().RESERVATION_SECONDS),
                )
        except IntegrityError:
            if self.key is None:
                raise
            return None
        return self._answer(granted=True, used=used, hold_id=hold.pk)

    def count(self) -> bool:
        """Add to the counter if there is room; the period's first use makes its record."""
        if self.limit is not None and self.amount > self.limit:
            return False
        if self._add_if_room():
            return True
        used = self._used()
        if used is None:
            _records(self.entitlement).get_or_create(
                user_id=self.entitlement.user_id,
                billing_period_start=self.entitlement.period.start,
                defaults=_snapshot(self.entitlement),
            )
        elif self.limit is not None and used + self.amount > self.limit:
            return False
        return self._add_if_room()  # the record, or the room, has only just come into being

    def _used(self) -> int | None:
        return _records(self.entitlement).values_list(_COUNTER[self.metric], flat=True).first()

    def _add_if_room(self) -> bool:
        counter = _COUNTER[self.metric]
        room = {} if self.limit is None else {f"{counter}__lte": self.limit - self.amount}
        now = timezone.now()
        changes = {counter: F(counter) + self.amount, _LAST_USED[self.metric]: now, "updated_at": now}
        return bool(
            _records(self.entitlement).filter(**room).update(**changes, **_snapshot(self.entitlement))
        )

    def replay(self) -> Reservation | None:
        """Return the reservation that already goes by this key."""
        if self.key is None:
            return None
        holds = _holds().select_related("record")
        hold = holds.filter(user_id=self.entitlement.user_id, metric=self.metric, key=self.key).first()
        if hold is None:
            return None
        answer = self._answer(granted=True, used=hold.record.counters.used(self.metric), hold_id=hold.pk)
        return replace(
            answer,
            amount=hold.amount,
            period=hold.record.period,
            state=ReservationState(hold.state),
            replayed=True,
        )

    def refusal(self) -> Reservation:
        return self._answer(granted=False, used=self._used() or 0)

    def _answer(self, *, granted: bool, used: int, hold_id: UUID | None = None) -> Reservation:
        return Reservation(
            user_id=self.entitlement.user_id,
            metric=self.metric,
            amount=self.amount,
            granted=granted,
            used=used,
            limit=self.limit,
            period=self.entitlement.period,
            id=hold_id,
        )


def _alias() -> str:
    """Counters are read where they are written: a replica may lag behind."""
    return router.db_for_write(UsageRecord)


def _rollback_is_certain() -> bool:
    """Whether the transaction around us is marked for rollback, as DRF does for an error under
    ATOMIC_REQUESTS. It takes the hold back with everything else, and no statement may run in it."""
    connection = transaction.get_connection(_alias())
    return bool(connection.in_atomic_block and connection.needs_rollback)


def _records(entitlement: Entitlement) -> models.QuerySet[UsageRecord]:
    return UsageRecord.objects.using(_alias()).filter(
        user_id=entitlement.user_id, billing_period_start=entitlement.period.start
    )


def _holds() -> UsageReservationQuerySet:
    return UsageReservation.objects.using(_alias())


def _snapshot(entitlement: Entitlement) -> dict[str, Any]:
    """What the record remembers of the entitlement, so that past periods can still be shown truly."""
    return {
        "billing_period_end": entitlement.period.end,
        "video_limit": entitlement.video_limit,
        "transcription_limit_seconds": entitlement.transcription_limit_seconds,
    }


def _locked(reservation_id: UUID) -> UsageReservation:
    hold = _holds().select_for_update().filter(pk=reservation_id).first()
    if hold is None:
        raise InvalidRequest.unknown_reservation()
    return hold


def _release(reservation_id: UUID) -> bool:
    with transaction.atomic(using=_alias()):
        hold = _locked(reservation_id)
        if hold.state == ReservationState.COMMITTED:
            raise Conflict.already_settled(hold.get_state_display())
        if hold.state != ReservationState.HELD:
            return False
        _settle(hold.pk, ReservationState.RELEASED, settled=0, key=None)
        _shift(hold.record_id, Metric(hold.metric), -hold.amount)
    return True


def _settle(
    reservation_id: UUID,
    state: ReservationState,
    *,
    settled: int | F,
    before: str = ReservationState.HELD,
    **changes: Any,
) -> bool:
    hold = _holds().filter(pk=reservation_id, state=before)
    return bool(hold.update(state=state, settled_amount=settled, settled_at=timezone.now(), **changes))


def _shift(record_id: int, metric: Metric, difference: int) -> None:
    """Move a counter, but not below zero: an operator may have corrected it while the hold was open."""
    if difference == 0:
        return
    counter = _COUNTER[metric]
    value = F(counter) + difference if difference > 0 else Greatest(F(counter), -difference) + difference
    record = UsageRecord.objects.using(_alias()).filter(pk=record_id)
    record.update(**{counter: value, "updated_at": timezone.now()})


def _give_back(overdue: UsageReservationQuerySet, batch_size: int) -> int:
    """Expire these holds; those that somebody else is settling at this moment are left to them."""
    with transaction.atomic(using=_alias()):
        holds = list(overdue.select_for_update(skip_locked=True).order_by("record_id", "pk")[:batch_size])
        if not holds:
            return 0
        ids = [hold.pk for hold in holds]
        _holds().filter(pk__in=ids).update(
            state=ReservationState.EXPIRED, settled_amount=0, settled_at=timezone.now(), key=None
        )
        sums: Counter[tuple[int, str]] = Counter()
        for hold in holds:
            sums[hold.record_id, hold.metric] += hold.amount
        for (record_id, metric), amount in sorted(sums.items()):
            _shift(record_id, Metric(metric), -amount)
    return len(holds)
