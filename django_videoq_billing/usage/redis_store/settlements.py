"""What was told of holds while Redis was away, carried out once it is back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import UsageSettlement
from django_videoq_billing.types import ReservationState
from django_videoq_billing.usage.database import DatabaseUsageStore
from django_videoq_billing.usage.redis_store.keys import encoded
from django_videoq_billing.usage.redis_store.scripts import UNKNOWN, Shard
from django_videoq_billing.usage.rows import alias, give_back, holds

logger = logging.getLogger("django_videoq_billing")


def carry_out(shard: Shard) -> list[UUID]:
    """Settle all that was told; return which holds Redis knew. Raises StoreAwayError; what is left stays written down.

    Safe to stop anywhere and to run in several places at once. A Redis that was emptied does not know the
    hold any more; then the hold's row is settled. What Redis has settled stays written down until the rows have it
    (`forget`): it could be emptied before.
    """
    carried = []
    for one in UsageSettlement.objects.using(alias()).filter(shard=shard.number):
        unheard = one.state == UsageSettlement.State.EXPIRED
        outcome = shard.settle(one.reservation_id, one.state, one.actual, unheard=unheard)
        if outcome == UNKNOWN:
            _settle_row(shard, one)
        elif outcome < 0 and one.state == UsageSettlement.State.COMMITTED:
            logger.error("usage_settlement_failed", extra={"hold": one.reservation_id.hex})
        if outcome >= 0:
            carried.append(one.pk)
        if outcome < 0 or unheard:
            # Of a hold that nobody had heard of, something else may be told meanwhile: that stays.
            UsageSettlement.objects.using(alias()).filter(pk=one.pk, state=one.state).delete()
    return carried


def forget(carried: Sequence[UUID]) -> None:
    """The rows have all that Redis has counted: strike out what was carried out there, and has arrived."""
    row = holds().filter(pk=OuterRef("pk"))
    told = UsageSettlement.State
    is_to_come = Q(Exists(row.held())) | Q(Exists(row.filter(state=told.EXPIRED)), state=told.COMMITTED)
    written = UsageSettlement.objects.using(alias()).filter(pk__in=carried).exclude(state=told.EXPIRED)
    written.exclude(is_to_come).delete()


def _settle_row(shard: Shard, told: UsageSettlement) -> None:
    database, hold = DatabaseUsageStore(), holds().filter(pk=told.reservation_id)
    try:
        if told.state == ReservationState.COMMITTED:
            database.commit(told.reservation_id, told.actual)
        elif told.state == ReservationState.RELEASED:
            database.release(told.reservation_id)
        elif not give_back(hold.held(), 1, skip_locked=False):
            return
    except (Conflict, InvalidRequest):
        if told.state == ReservationState.COMMITTED:
            logger.exception("usage_settlement_failed", extra={"hold": told.reservation_id.hex})
        return
    user = encoded(hold.values_list("user_id", flat=True).get())
    transaction.on_commit(lambda: shard.forget(user), using=alias(), robust=True)
