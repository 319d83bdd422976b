"""From Redis's journal into the database, exactly once: the place reached is written in the same transaction."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from django_videoq_billing.models import UsageJournal, UsageRecord, UsageReservation, UsageSettlement
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.models.upserts import insert_missing, upsert
from django_videoq_billing.models.usage import UsageReservationQuerySet
from django_videoq_billing.usage.redis_store import scripts, settlements
from django_videoq_billing.usage.redis_store.journal import (
    Batch,
    Change,
    Fields,
    RecordKey,
    decoded,
    opening,
    record_key,
)
from django_videoq_billing.usage.redis_store.keys import SHARDS, encoded, shard_of_hold
from django_videoq_billing.usage.redis_store.scripts import Shard
from django_videoq_billing.usage.rows import COUNTER, LAST_USED, alias, holds

logger = logging.getLogger("django_videoq_billing")

BATCH = 1000
SUSPECT = timedelta(minutes=10)
"""How long after a count without Redis every flush has the shard rebuilt: transactions that counted there
may still be open."""


def flush(shards: scripts.Shards, batch: int = BATCH) -> int:
    """Move what every shard's journal holds into the rows; return how many entries. Raises StoreAwayError.

    Safe to stop anywhere, to run twice, and to run in several places at once.
    """
    return sum(flush_shard(shards[number], batch) for number in waiting(shards))


def waiting(shards: scripts.Shards) -> list[int]:
    """The shards that have something to move, to mend or to settle."""
    rows = {row.shard: row for row in UsageJournal.objects.using(alias()).all()}
    unsettled = set(
        UsageSettlement.objects.using(alias()).order_by().values_list("shard", flat=True).distinct()
    )
    tips = scripts.tips(shards)
    now = timezone.now()
    found = []
    for number, tip in enumerate(tips):
        row = rows.get(number) or UsageJournal(shard=number)
        suspect = row.suspect_until is not None and row.suspect_until > now
        if tip != row.last_id or suspect or number in unsettled:
            found.append(number)
    return found


def flush_shard(shard: Shard, batch: int = BATCH, *, wait: bool = False) -> int:
    """Move one shard's journal and carry out what waits for it; return how many entries.

    Without `wait` a shard that somebody else is flushing is left to them.
    """
    moved = _move(shard, batch, wait)
    if carried := settlements.carry_out(shard):
        moved += _move(shard, batch, wait, carried)
    return moved


def _move(shard: Shard, batch: int, wait: bool, carried: Sequence[UUID] = ()) -> int:
    moved = 0
    while count := _flush_batch(shard, batch, wait, carried):
        moved += count
        if count < batch:
            break
    return moved


@again_after_deadlock(alias)
def _flush_batch(shard: Shard, size: int, wait: bool, carried: Sequence[UUID] = ()) -> int:
    UsageJournal.objects.using(alias()).get_or_create(shard=shard.number)
    with transaction.atomic(using=alias()):
        rows = UsageJournal.objects.using(alias()).select_for_update(skip_locked=not wait)
        place = rows.filter(shard=shard.number).first()
        if place is None:
            return 0
        verify(shard, place)
        entries = decoded(shard.entries_after(place.last_id, size))
        if entries:
            _apply_and_note(shard, place, entries)
        if carried and len(entries) < size:
            settlements.forget(carried)
    return len(entries)


def _apply_and_note(shard: Shard, place: UsageJournal, entries: list[tuple[str, Fields]]) -> None:
    batch = _apply([entry for _, entry in entries])
    place.last_id, place.flushed_at = entries[-1][0], timezone.now()
    place.save(using=alias(), update_fields=["last_id", "flushed_at"])
    gone = [hold for hold in batch.settled if not (hold in batch.holds and batch.holds[hold].key)]
    transaction.on_commit(
        lambda: _tidy(shard, place.last_id, gone, batch.contradicted), using=alias(), robust=True
    )


def verify(shard: Shard, place: UsageJournal, anew: bool = False) -> None:
    """Have the shard's counters rebuilt where Redis is not what it was, or usage was counted without it."""
    suspect = place.suspect_until is not None and place.suspect_until > timezone.now()
    if shard.verify(place.last_id, anew or suspect, os.urandom(6)):
        logger.info("usage_shard_untrusted", extra={"shard": shard.number})


def verify_all(shards: scripts.Shards, anew: bool) -> None:
    """Before the first count on a server that was away, or that was started `anew`: its last moments, a plan's
    change among them, may be lost even where its journal goes far enough."""
    rows = {row.shard: row for row in UsageJournal.objects.using(alias()).all()}
    for number in range(SHARDS):
        verify(shards[number], rows.get(number) or UsageJournal(shard=number), anew)


def suspect(shard: int) -> None:
    """Note that usage is counted without Redis. Nothing is written while that is noted already."""
    now = timezone.now()
    rows = UsageJournal.objects.using(alias())
    if rows.filter(shard=shard, suspect_until__gt=now + SUSPECT / 2).exists():
        return
    upsert(rows, [UsageJournal(shard=shard, suspect_until=now + SUSPECT)], ["shard"], ["suspect_until"])


def _tidy(shard: Shard, last_id: str, settled: list[str], contradicted: Iterable[str]) -> None:
    shard.clean(last_id, settled)
    for user in contradicted:
        shard.forget(user.encode())


def _apply(entries: list[Fields]) -> Batch:
    entries = _of_known_users(entries)
    records = _locked_records(entries)
    settled = {entry["h"] for entry in entries if entry["k"] == "z"}
    known = UsageReservation.objects.using(alias()).filter(pk__in=settled).select_for_update()
    batch = Batch({row.pk.hex: row for row in known})
    batch.replay(entries)
    _write_records(records, batch.changes)
    _write_holds(batch, records)
    return batch


def _of_known_users(entries: list[Fields]) -> list[Fields]:
    """Leave out who was deleted in the meantime; their rows are gone with them."""
    users = get_user_model()._default_manager.using(alias())
    given = {entry["u"] for entry in entries if "u" in entry}
    known = {encoded(pk).decode() for pk in users.filter(pk__in=given).values_list("pk", flat=True)}
    return [entry for entry in entries if entry.get("u") in known]


def _locked_records(entries: list[Fields]) -> dict[RecordKey, UsageRecord]:
    """Make the records that entries open, and lock all that are touched, in one order for everybody."""
    openings = {record_key(entry): opening(entry) for entry in entries if entry["k"] == "o"}
    rows = UsageRecord.objects.using(alias())
    new = [
        UsageRecord(user_id=_user_pk(user), billing_period_start=start, **values)
        for (user, start), values in openings.items()
    ]
    insert_missing(rows, new, ["user", "billing_period_start"])
    wanted = {record_key(entry) for entry in entries}
    found = rows.filter(
        user_id__in={_user_pk(user) for user, _ in wanted},
        billing_period_start__in={start for _, start in wanted},
    )
    records = {
        (encoded(row.user_id).decode(), row.billing_period_start): row
        for row in found.order_by("pk").select_for_update()
    }
    for key, values in openings.items():
        for name, value in values.items():
            setattr(records[key], name, value)
    return records


def _write_records(records: dict[RecordKey, UsageRecord], changes: dict[RecordKey, Change]) -> None:
    """Write absolute values: the rows are locked since they were read."""
    for key, change in changes.items():
        record = records.get(key)
        if record is None:
            logger.error("usage_record_gone", extra={"period_start": key[1].isoformat()})
            continue
        for metric in change.differences:
            setattr(record, COUNTER[metric], change.applied_to(getattr(record, COUNTER[metric]), metric))
        for metric, used_at in change.last_used.items():
            setattr(record, LAST_USED[metric], used_at)
    _upsert(
        UsageRecord,
        records.values(),
        [
            *COUNTER.values(),
            *LAST_USED.values(),
            "billing_period_end",
            "video_limit",
            "transcription_limit_seconds",
            "updated_at",
        ],
    )


def _write_holds(batch: Batch, records: dict[RecordKey, UsageRecord]) -> None:
    for hold_id, key in batch.opened.items():
        if record := records.get(key):
            batch.holds[hold_id].record = record
            batch.holds[hold_id].user_id = record.user_id
    rows = [batch.holds[hold_id] for hold_id in batch.touched if hold_id not in batch.opened]
    rows += [batch.holds[hold_id] for hold_id, key in batch.opened.items() if key in records]
    _leave_keys_to_the_database(batch, rows)
    _give_up_keys(rows)
    _upsert(UsageReservation, rows, ["state", "settled_amount", "settled_at", "key"])


def _takers(rows: Iterable[UsageReservation]) -> dict[tuple[Any, str, str | None], UsageReservation]:
    return {(row.user_id, row.metric, row.key): row for row in rows if row.key}


def _holders(takers: Mapping[tuple[Any, str, str | None], Any]) -> UsageReservationQuerySet:
    users, keys = {user for user, _, _ in takers}, {key for _, _, key in takers}
    return holds().filter(user_id__in=users, key__in=keys)


def _leave_keys_to_the_database(batch: Batch, rows: Iterable[UsageReservation]) -> None:
    """A key that was counted in the database while Redis was away stays there: that hold was answered for.

    Redis has a hold by the same key where the answer was lost; nobody knows of it, and it will expire.
    """
    takers = _takers(rows)
    if not takers:
        return
    remembered = timezone.now() - timedelta(seconds=scripts.REMEMBER_SECONDS)
    for holder in _holders(takers).exclude(settled_at__lt=remembered):
        taker = takers.get((holder.user_id, holder.metric, holder.key))
        has_it_yet = batch.holds.get(holder.pk.hex, holder).key is not None
        if taker and has_it_yet and shard_of_hold(holder.pk) is None and taker.pk != holder.pk:
            taker.key = None
            batch.contradicted.add(encoded(holder.user_id).decode())


def _give_up_keys(rows: Iterable[UsageReservation]) -> None:
    """A client key may have gone from one hold to another: it is given up before it is taken."""
    takers = {key: row.pk for key, row in _takers(rows).items()}
    if not takers:
        return
    earlier = [
        row.pk for row in _holders(takers) if takers.get((row.user_id, row.metric, row.key), row.pk) != row.pk
    ]
    holds().filter(pk__in=earlier).update(key=None)


def _upsert(model: Any, rows: Iterable[Any], fields: list[str]) -> None:
    upsert(model.objects.using(alias()), rows, ["id"], fields)


def _user_pk(user: str) -> Any:
    return get_user_model()._meta.pk.to_python(user)
