"""How far the rows are behind what Redis has counted."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Count, Min

from django_videoq_billing.exceptions import UsageUnavailable
from django_videoq_billing.models import UsageJournal, UsageSettlement
from django_videoq_billing.types import StoreLag
from django_videoq_billing.usage.redis_store.scripts import Shards
from django_videoq_billing.usage.redis_store.wire import StoreAwayError
from django_videoq_billing.usage.rows import alias


def lag_of(shards: Shards) -> StoreLag:
    """In one round trip per server. Raises UsageUnavailable.

    What was told of holds while Redis was away waits for the flush, too.
    """
    told = UsageSettlement.objects.using(alias()).aggregate(count=Count("pk"), first=Min("created_at"))
    moments = [] if told["first"] is None else [told["first"].timestamp()]
    try:
        journals = _journals(shards)
    except StoreAwayError as error:
        raise UsageUnavailable.no_answer() from error
    moments += [moment for moment, _ in journals]
    waiting = told["count"] + sum(entries for _, entries in journals)
    return StoreLag(max(time.time() - min(moments), 0) if moments else 0, waiting)


def _journals(shards: Shards) -> list[tuple[float, int]]:
    """Of each journal with something to move: when the oldest entry was made, and how many there are."""
    applied = dict(UsageJournal.objects.using(alias()).values_list("shard", "last_id"))
    places = [applied.get(shard.number, "0-0") for shard in shards]

    def look(client: Any) -> list[Any]:
        pipe = client.pipeline(transaction=False)
        for shard, place in zip(shards, places, strict=True):
            pipe.xrange(shard.keys.journal, f"({place}", "+", count=1)
            pipe.xrange(shard.keys.journal, place, place)  # a flush leaves the last entry that it has applied
            pipe.xlen(shard.keys.journal)
        return list(pipe.execute())

    answers = shards.wire.ask(look)
    return [
        (int(oldest[0][0].partition(b"-")[0]) / 1000, length - len(left))
        for oldest, left, length in zip(answers[::3], answers[1::3], answers[2::3], strict=True)
        if oldest
    ]
