"""What was told of holds while Redis was away, carried out once it is back."""

from __future__ import annotations

import logging

from django.db import transaction

from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import UsageSettlement
from django_videoq_billing.types import ReservationState
from django_videoq_billing.usage.database import DatabaseUsageStore
from django_videoq_billing.usage.redis_store.keys import encoded
from django_videoq_billing.usage.redis_store.scripts import UNKNOWN, Shard
from django_videoq_billing.usage.rows import alias, give_back, holds

logger = logging.getLogger("django_videoq_billing")


def carry_out(shard: Shard) -> int:
    """Settle all that was told; return how many holds. Raises StoreAwayError; what is left stays written down.

    Safe to stop anywhere and to run in several places at once. A Redis that was emptied does not know the
    hold any more; then the hold's row is settled.
    """
    told = list(UsageSettlement.objects.using(alias()).filter(shard=shard.number))
    for one in told:
        unheard = one.state == UsageSettlement.State.EXPIRED
        outcome = shard.settle(one.reservation_id, one.state, one.actual, unheard=unheard)
        if outcome == UNKNOWN:
            _settle_row(shard, one)
        elif outcome < 0 and one.state == UsageSettlement.State.COMMITTED:
            logger.error("usage_settlement_failed", extra={"hold": one.reservation_id.hex})
        # Of a hold that nobody had heard of, something else may be told meanwhile: that stays.
        UsageSettlement.objects.using(alias()).filter(pk=one.pk, state=one.state).delete()
    return len(told)


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
