"""One attempt to count: what is asked for, and the steps that can answer it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.models.upserts import insert_missing
from django_videoq_billing.types import Entitlement, Metric, Reservation, ReservationState
from django_videoq_billing.usage import postgres
from django_videoq_billing.usage.rows import (
    COUNTER,
    LAST_USED,
    alias,
    give_back,
    holds,
    overdue,
    records,
    snapshot,
)

ATTEMPTS = 20
"""Of eight who retry one key at once, about every third look comes between two others on MariaDB. An answer and the
admission inside of it each have as many."""
_BATCH = 1000


class KeyTakenError(Exception):
    """Another hold went by the same key when ours was written; nothing was counted."""


class Admission:
    """`limited=False` counts what has happened already, whatever the limit says."""

    def __init__(
        self,
        entitlement: Entitlement,
        metric: Metric,
        amount: int,
        key: str | None = None,
        *,
        limited: bool = True,
        hold: bool = True,
    ) -> None:
        self.entitlement = entitlement
        self.metric = metric
        self.amount = amount
        self.key = key
        self.hold = hold
        self.limit = entitlement.limit(metric) if limited else None
        self._seen = 0  # where the counter stood when there was no room

    def answer(self) -> Reservation:
        """Admit, or tell who goes by the key already, or refuse."""
        for _ in range(ATTEMPTS):
            try:
                return self._admit() or self._replay() or self._reservation(granted=False, used=self._seen)
            except KeyTakenError:
                self._give_back_of_earlier_periods()
                if known := self._replay():
                    return known
                # The hold that had the key was given up between the two looks: try again.
        raise Conflict.key_in_progress()

    def count(self) -> bool:
        """Add to the counter if there is room; the period's first use makes its record."""
        return self._add_if_room() or (self._room_was_made() and self._add_if_room())

    def _admit(self) -> Reservation | None:
        """Count and hold, or None where there is no room."""
        for _ in range(ATTEMPTS):
            if admitted := self._admit_if_room():
                return admitted
            if not self._room_was_made():
                return None
        return None

    def _admit_if_room(self) -> Reservation | None:
        if self.limit is not None and self.amount > self.limit:
            return None
        try:
            return self._at_once() if self.hold and postgres.is_used() else self._step_by_step()
        except IntegrityError:
            if self.key is None:
                raise
            raise KeyTakenError from None

    def _at_once(self) -> Reservation | None:
        seconds = get_settings().RESERVATION_SECONDS
        counted = postgres.count_and_hold(
            self.entitlement, self.metric, self.amount, self.limit, self.key, seconds
        )
        return counted and self._reservation(granted=True, used=counted[0], hold_id=counted[1])

    def _step_by_step(self) -> Reservation | None:
        with transaction.atomic(using=alias()):
            if not self._add_if_room():
                return None
            record_id, used = records(self.entitlement).values_list("pk", COUNTER[self.metric]).get()
            if not self.hold:
                return self._reservation(granted=True, used=used)
            hold = holds().create(
                user_id=self.entitlement.user_id,
                record_id=record_id,
                metric=self.metric,
                amount=self.amount,
                key=self.key,
                expires_at=timezone.now() + timedelta(seconds=get_settings().RESERVATION_SECONDS),
            )
        return self._reservation(granted=True, used=used, hold_id=hold.pk)

    def _add_if_room(self) -> bool:
        counter = COUNTER[self.metric]
        room = {} if self.limit is None else {f"{counter}__lte": self.limit - self.amount}
        now = timezone.now()
        changes = {counter: F(counter) + self.amount, LAST_USED[self.metric]: now, "updated_at": now}
        return bool(records(self.entitlement).filter(**room).update(**changes, **snapshot(self.entitlement)))

    def _room_was_made(self) -> bool:
        """Whether it is worth another try: the record was missing, or room has come into being, or overdue
        holds could be given back. One statement tells all three, so that a refusal is right at its moment."""
        late = overdue(timezone.now()).filter(record=OuterRef("pk"))
        look = records(self.entitlement).values_list(COUNTER[self.metric], Exists(late)).first()
        hopeless = self.limit is not None and self.amount > self.limit
        if look is None and hopeless:
            return False
        if look is None:
            self._make_record()
            return True
        self._seen, somebody_is_late = look
        if self.limit is None or self._seen + self.amount <= self.limit:
            return True
        if hopeless or not somebody_is_late:
            return False
        # Waits for whoever is giving them back already.
        mine = overdue(timezone.now()).filter(record__in=records(self.entitlement))
        give_back(mine, _BATCH, skip_locked=False)
        return True

    def _make_record(self) -> None:
        row = UsageRecord(
            user_id=self.entitlement.user_id,
            billing_period_start=self.entitlement.period.start,
            **snapshot(self.entitlement),
        )
        insert_missing(UsageRecord.objects.using(alias()), [row], ["user", "billing_period_start"])

    def _give_back_of_earlier_periods(self) -> None:
        """The key may belong to a dead hold of a period that has ended."""
        mine = overdue(timezone.now()).filter(user_id=self.entitlement.user_id)
        give_back(mine, _BATCH, skip_locked=True)

    def _replay(self) -> Reservation | None:
        """Return the reservation that already goes by this key."""
        if self.key is None:
            return None
        known = holds().select_related("record")
        known = known.filter(user_id=self.entitlement.user_id, metric=self.metric, key=self.key)
        hold = known.first()
        if hold and hold.state == ReservationState.HELD and hold.expires_at <= timezone.now():
            self._give_back_of_earlier_periods()
            hold = known.first()
        if hold is None:
            return None
        answer = self._reservation(granted=True, used=hold.record.counters.used(self.metric), hold_id=hold.pk)
        return replace(
            answer,
            amount=hold.amount,
            period=hold.record.period,
            state=ReservationState(hold.state),
            replayed=True,
        )

    def _reservation(self, *, granted: bool, used: int, hold_id: UUID | None = None) -> Reservation:
        return Reservation(
            user_id=self.entitlement.user_id,
            metric=self.metric,
            amount=self.amount,
            granted=granted,
            used=used,
            limit=self.limit,
            period=self.entitlement.period,
            id=hold_id,
            state=ReservationState.COMMITTED if granted and hold_id is None else ReservationState.HELD,
        )
