"""What is done so that nothing is lost and nothing is granted twice when Redis, or the database, is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from django.db import Error
from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import Conflict, UsageUnavailable
from django_videoq_billing.models import UsageSettlement
from django_videoq_billing.types import Reservation, ReservationState
from django_videoq_billing.usage.database import rollback_is_certain
from django_videoq_billing.usage.redis_store import flush
from django_videoq_billing.usage.redis_store.keys import CODE, encoded, microseconds
from django_videoq_billing.usage.redis_store.scripts import Shard
from django_videoq_billing.usage.redis_store.wire import StoreAwayError
from django_videoq_billing.usage.rows import alias, holds

logger = logging.getLogger("django_videoq_billing")

Answer = TypeVar("Answer")


def count_elsewhere(shard: Shard, error: StoreAwayError, work: Callable[[], Answer]) -> Answer:
    """Let the database count, after what can still be read of the journal; or refuse (USAGE_REDIS_AWAY)."""
    if get_settings().USAGE_REDIS_AWAY == "refuse":
        raise UsageUnavailable.no_answer() from error
    if error.readable:
        with suppress(StoreAwayError):
            flush.flush_shard(shard, wait=True)
    flush.suspect(shard.number)
    return work()


def write_down(hold_id: UUID, shard: int, state: ReservationState, actual: int | None) -> bool:
    """Keep an outcome that cannot be carried out now; the first one stands, as it would in Redis.

    Raises Conflict for a commit after a release, and for a release after a commit. In a transaction that is marked for
    rollback nothing can be written: the hold is given back when it is overdue, and the caller's own error goes on.
    """
    if rollback_is_certain():
        return state != ReservationState.COMMITTED
    heard = state != ReservationState.EXPIRED
    if heard and _unheard(hold_id).update(state=state, actual=actual):
        return True  # before it is looked for: a flush may carry that out, and delete it, in between
    values = {"shard": shard, "state": state, "actual": actual}
    told, is_first = UsageSettlement.objects.using(alias()).get_or_create(
        reservation_id=hold_id, defaults=values
    )
    if is_first:
        return True
    if heard and told.state == ReservationState.EXPIRED:
        return bool(_unheard(hold_id).update(state=state, actual=actual))
    if heard and told.state != state:
        raise Conflict.already_settled(told.get_state_display())
    return False


def give_back_unheard(hold_id: UUID, shard: int) -> None:
    """The answer to a reserve was lost. If it was carried out, nobody knows of the hold, unless he asks for it again by
    its client key before this is carried out."""
    write_down(hold_id, shard, ReservationState.EXPIRED, None)


def answered_by_the_rows(answer: Reservation, shard: int, unheard: UUID | None) -> None:
    """Either its client key has led to a hold that was flushed already, and maybe was unheard; or another one is held
    in the place of this call's own, which is nobody's then, whoever was led to it meanwhile."""
    if answer.replayed and answer.id is not None:
        _unheard(answer.id).delete()
    if unheard is not None and answer.granted and answer.id != unheard:
        with suppress(Conflict):
            write_down(unheard, shard, ReservationState.RELEASED, None)


def _unheard(hold_id: UUID) -> QuerySet[UsageSettlement]:
    return UsageSettlement.objects.using(alias()).filter(pk=hold_id, state=ReservationState.EXPIRED)


def written_amount(hold_id: UUID) -> int | None:
    """With what amount a commit was told that is not carried out yet; None for one as reserved that no row tells."""
    told = UsageSettlement.objects.using(alias()).filter(pk=hold_id, state=ReservationState.COMMITTED)
    reserved = Subquery(holds().filter(pk=hold_id).values("amount"))
    return told.values_list(Coalesce("actual", reserved), flat=True).first()


def make_durable(shard: Shard, admitted: Reservation | None = None) -> None:
    """With USAGE_DURABILITY "sync" nothing is admitted before the rows have it."""
    if get_settings().USAGE_DURABILITY == "async":
        return
    try:
        flush.flush_shard(shard, wait=True)
    except (Error, StoreAwayError) as error:
        logger.error("usage_not_durable", extra={"shard": shard.number})
        if admitted is None:
            return  # the journal has it, and the next flush will move it
        with suppress(Error, StoreAwayError):
            _take_back(shard, admitted)
        raise UsageUnavailable.no_answer() from error


def _take_back(shard: Shard, admitted: Reservation) -> None:
    if admitted.id is None:
        start = microseconds(admitted.period.start)
        shard.undo(encoded(admitted.user_id), CODE[admitted.metric], admitted.amount, start)
    elif not admitted.replayed:  # else it is somebody else's, who was told of it
        try:
            shard.settle(admitted.id, ReservationState.EXPIRED, unheard=True)
        except StoreAwayError:
            give_back_unheard(admitted.id, shard.number)
