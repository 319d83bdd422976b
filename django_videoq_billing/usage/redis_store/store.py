from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, UsageUnavailable
from django_videoq_billing.models import UsageJournal, UsageReservation
from django_videoq_billing.types import (
    Counters,
    Entitlement,
    EntitlementSource,
    Metric,
    Period,
    Reservation,
    ReservationState,
    StoreLag,
    UserId,
)
from django_videoq_billing.usage.base import UsageStore
from django_videoq_billing.usage.database import DatabaseUsageStore, rollback_is_certain
from django_videoq_billing.usage.redis_store import away, expiry, flush, lag
from django_videoq_billing.usage.redis_store.client import make_client
from django_videoq_billing.usage.redis_store.keys import (
    CODE,
    SHARDS,
    encoded,
    microseconds,
    moment,
    new_hold_id,
    period,
    shard_of,
    shard_of_hold,
)
from django_videoq_billing.usage.redis_store.rebuild import look, rebuild
from django_videoq_billing.usage.redis_store.risks import risks_of
from django_videoq_billing.usage.redis_store.scripts import UNKNOWN, UNSURE, Shard, Shards, now
from django_videoq_billing.usage.redis_store.wire import StoreAwayError, Wire
from django_videoq_billing.usage.rows import alias, holds

logger = logging.getLogger("django_videoq_billing")

Answer = TypeVar("Answer")

ATTEMPTS = 50
COUNTED, KNOWN, OVERDUE = 1, 2, -2
COMMITTED, RELEASED = -2, -3


class RedisUsageStore(UsageStore):
    """Counts in Redis: one script admits or refuses, counts and journals; `flush` moves the journal into rows.

    What is counted here is not part of the host's transaction. While Redis is away the database counts, or
    everything is refused (USAGE_REDIS_AWAY); what is settled meanwhile is written down and carried out later.
    """

    def __init__(self) -> None:
        options = get_settings()
        client = make_client(options.USAGE_REDIS_FACTORY, options.USAGE_REDIS_ALIAS)
        self.shards = Shards(
            Wire(client, lambda anew: flush.verify_all(self.shards, anew)), options.USAGE_REDIS_PREFIX
        )
        self.database = DatabaseUsageStore()

    def reserve(
        self,
        entitlement: EntitlementSource,
        metric: Metric,
        amount: int,
        *,
        key: str | None = None,
        hold: bool = True,
    ) -> Reservation:
        user = encoded(entitlement.user_id)
        shard = self.shards[shard_of(user)]
        hold_id = new_hold_id(shard.number) if hold else None
        try:
            if hold_id is None:
                answer = self._count(shard, user, entitlement, metric, amount)
            else:
                answer = self._reserve(shard, hold_id, entitlement, metric, amount, key)
        except StoreAwayError as error:
            if error.maybe_done:
                self._not_known(shard, hold_id, error)
            work = partial(self.database.reserve, entitlement, metric, amount, key=key, hold=hold)
            answer = self._without_redis(shard, entitlement.user_id, error, work)
            away.answered_by_the_rows(answer, shard.number, hold_id if error.maybe_done else None)
            return answer
        if answer.granted:
            away.make_durable(shard, answer)
        return answer

    def _count(
        self, shard: Shard, user: bytes, entitlement: EntitlementSource, metric: Metric, amount: int
    ) -> Reservation:
        reply = self._tried(shard, entitlement, shard.count, user, CODE[metric], amount)
        granted, limit, when = reply[0] == COUNTED, None if reply[2] < 0 else reply[2], period(*reply[3:5])
        state = ReservationState.COMMITTED if granted else ReservationState.HELD
        return Reservation(entitlement.user_id, metric, amount, granted, reply[1], limit, when, None, state)

    def _reserve(
        self,
        shard: Shard,
        hold_id: UUID,
        entitlement: EntitlementSource,
        metric: Metric,
        amount: int,
        key: str | None,
    ) -> Reservation:
        user, code = encoded(entitlement.user_id), CODE[metric]
        reply = self._tried(shard, entitlement, shard.reserve, user, code, amount, hold_id, key)
        status, used, limit = reply[0], reply[1], None if reply[2] < 0 else reply[2]
        when = period(*reply[3:5])
        if status == KNOWN:
            if used < 0:  # the hold is of an earlier period
                used = self.get(replace(entitlement(), period=when)).used(metric)
            known, first, state = UUID(reply[5].decode()), int(reply[6]), ReservationState(reply[7].decode())
            return Reservation(
                entitlement.user_id, metric, first, True, used, limit, when, known, state, replayed=True
            )
        held = hold_id if status == COUNTED else None
        return Reservation(entitlement.user_id, metric, amount, held is not None, used, limit, when, held)

    def _not_known(self, shard: Shard, hold_id: UUID | None, error: StoreAwayError) -> None:
        """It may have been counted: a hold is given back later, a count made elsewhere might count twice."""
        if hold_id is None:
            raise UsageUnavailable.no_answer() from error
        away.give_back_unheard(hold_id, shard.number)

    def _tried(
        self, shard: Shard, entitlement: EntitlementSource, run: Callable[..., list[Any]], *arguments: Any
    ) -> list[Any]:
        """Run until the user's hash can be trusted and overdue holds do not stand in the way."""
        for _ in range(ATTEMPTS):
            reply = run(*arguments)
            if reply[0] >= 0:
                return reply
            if reply[0] == UNSURE:
                raise UsageUnavailable.no_answer()
            if reply[0] == OVERDUE:
                expiry.expire_user(shard, encoded(entitlement.user_id), now())
            else:
                rebuild(shard, entitlement, self._verify)
        raise UsageUnavailable.busy()

    def undo(self, reservation: Reservation) -> None:
        user = encoded(reservation.user_id)
        shard = self.shards[shard_of(user)]
        start = microseconds(reservation.period.start)
        try:
            sure = shard.undo(user, CODE[reservation.metric], reservation.amount, start)
        except StoreAwayError as error:
            if not error.maybe_done:
                work = partial(self.database.undo, reservation)
                return self._without_redis(shard, reservation.user_id, error, work)
            sure = False
        if not sure:  # counted once too often is mended by a recount; taken back twice is not
            logger.warning("usage_undo_unsure", extra={"shard": shard.number})
        return away.make_durable(shard)

    def commit(self, reservation_id: UUID, actual: int | None = None) -> bool:
        in_database = partial(self.database.commit, reservation_id, actual)
        return self._settle(reservation_id, ReservationState.COMMITTED, actual, in_database)

    def settled_amount(self, reservation_id: UUID) -> int | None:
        number = shard_of_hold(reservation_id)
        with suppress(StoreAwayError):
            state, final = self.shards[number].settled(reservation_id) if number is not None else (None, None)
            if state == b"committed" and final is not None:  # one that was rebuilt does not know
                return int(final)
        told = away.written_amount(reservation_id)
        return self.database.settled_amount(reservation_id) if told is None else told

    def release(self, reservation_id: UUID) -> bool:
        in_database = partial(self.database.release, reservation_id)
        return self._settle(reservation_id, ReservationState.RELEASED, None, in_database)

    def _settle(
        self, hold_id: UUID, state: ReservationState, actual: int | None, in_database: Callable[[], bool]
    ) -> bool:
        number = shard_of_hold(hold_id)
        if number is None:
            return self._settle_in_database(hold_id, in_database)
        shard = self.shards[number]
        try:
            outcome = shard.settle(hold_id, state, actual)
            if outcome == UNKNOWN:
                # Redis has forgotten it: settled long ago, expired, or Redis was emptied. The rows know.
                if rollback_is_certain():
                    return in_database()
                flush.flush_shard(shard, wait=True)
                return self._settle_in_database(hold_id, in_database)
        except StoreAwayError:
            return away.write_down(hold_id, number, state, actual)
        if outcome == COMMITTED:
            raise Conflict.already_settled(str(UsageReservation.State.COMMITTED.label))
        if outcome == RELEASED:
            raise Conflict.already_settled(str(UsageReservation.State.RELEASED.label))
        away.make_durable(shard)  # also what was settled before: by this very call, if its answer was lost
        return bool(outcome)

    def _settle_in_database(self, hold_id: UUID, in_database: Callable[[], bool]) -> bool:
        done = in_database()
        user_id = holds().filter(pk=hold_id).values_list("user_id", flat=True).first() if done else None
        if user_id is not None:
            self._forget_on_commit(user_id)
        return done

    def add(self, entitlement: EntitlementSource, metric: Metric, amount: int) -> Counters:
        user = encoded(entitlement.user_id)
        shard = self.shards[shard_of(user)]
        try:
            self._tried(shard, entitlement, shard.correct, user, CODE[metric], amount)
        except StoreAwayError as error:
            if error.maybe_done:
                raise UsageUnavailable.no_answer() from error
            return self._without_redis(
                shard, entitlement.user_id, error, lambda: self.database.add(entitlement, metric, amount)
            )
        away.make_durable(shard)
        return self.get(entitlement())

    def get(self, entitlement: Entitlement) -> Counters:
        user = encoded(entitlement.user_id)
        shard = self.shards[shard_of(user)]
        try:
            found = shard.read(user, microseconds(entitlement.period.start))
            if found is None:
                return look(shard, entitlement).counters
        except StoreAwayError:
            return self.database.get(entitlement)
        changed = moment(int(found[2])) if found[2] else None
        return Counters(int(found[0]), int(found[1]), changed)

    def committed(self, user_id: UserId, metric: Metric, period: Period) -> int:
        user, found = encoded(user_id), None
        with suppress(StoreAwayError):
            found = self.shards[shard_of(user)].committed(user, CODE[metric], microseconds(period.start))
        return super().committed(user_id, metric, period) if found is None else found

    def expire(self, now: datetime, *, user_id: UserId | None = None, batch_size: int = 500) -> int:
        given_back, out_of_date = expiry.expire(self.shards, now, user_id, batch_size)
        for pk in out_of_date:
            self._forget_on_commit(pk)
        return given_back

    def forget(self, user_id: UserId | None = None) -> None:
        numbers = range(SHARDS) if user_id is None else [shard_of(encoded(user_id))]
        try:
            if user_id is None:
                for number in numbers:
                    self.shards[number].distrust()
            else:
                self.shards[numbers[0]].forget(encoded(user_id))
        except StoreAwayError:
            for number in numbers:
                flush.suspect(number)

    def flush(self) -> int:
        try:
            return flush.flush(self.shards)
        except StoreAwayError as error:
            raise UsageUnavailable.no_answer() from error

    def clear(self) -> None:
        with suppress(StoreAwayError):
            self.shards.clear()

    def lag(self) -> StoreLag:
        return lag.lag_of(self.shards)

    def risks(self) -> list[tuple[str, str, str]]:
        return risks_of(self.shards.wire)

    def _verify(self, shard: Shard) -> None:
        place = UsageJournal.objects.using(alias()).filter(shard=shard.number).first()
        flush.verify(shard, place or UsageJournal(shard=shard.number))

    def _without_redis(
        self, shard: Shard, user_id: UserId, error: StoreAwayError, work: Callable[[], Answer]
    ) -> Answer:
        answer = away.count_elsewhere(shard, error, work)
        self._forget_on_commit(user_id)
        return answer

    def _forget_on_commit(self, user_id: UserId) -> None:
        transaction.on_commit(lambda: self.forget(user_id), using=alias(), robust=True)
