"""A user's hash from the database and what the journal still holds. Never from nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Subquery
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import UsageJournal, UsageRecord, UsageReservation
from django_videoq_billing.types import Counters, Entitlement, EntitlementSource, Metric, ReservationState
from django_videoq_billing.usage.redis_store.journal import (
    Batch,
    Fields,
    RecordKey,
    decoded,
    opening,
    position,
    record_key,
)
from django_videoq_billing.usage.redis_store.keys import (
    CODE,
    encoded,
    microseconds,
    moment,
)
from django_videoq_billing.usage.redis_store.scripts import KEEP_SECONDS, REMEMBER_SECONDS, Shard
from django_videoq_billing.usage.rows import alias, holds

_PAGE = 1000
_COUNTED = ("video_count", "transcription_seconds", "updated_at")
_REMEMBERED = ("billing_period_end", "video_limit", "transcription_limit_seconds")


@dataclass(frozen=True, slots=True)
class Standing:
    """One period's counters: what the rows say, and what the journal adds to that."""

    counters: Counters
    opening: Mapping[str, Any] | None
    """What the period's record was made with, or will be by an entry under way; None without a record."""
    holds: Mapping[str, UsageReservation]
    """By id, those that the journal settles or makes, as it leaves them."""


def rebuild(shard: Shard, source: EntitlementSource, verify: Any) -> None:
    """Install the user's hash afresh, or find that somebody else has. Raises StoreAwayError.

    Reads the database within the caller's transaction and writes nothing there: the period's record is made
    by the flush, from an entry of the journal.
    """
    user = encoded(source.user_id)
    begun = shard.begin(user)
    if not begun:
        return
    if not begun[0]:
        verify(shard)
        return
    in_redis = [UUID(hold.decode()) for hold in shard.open_holds(user)]
    entitlement = source()
    standing = look(shard, entitlement)
    # A record that was seen in a transaction may be rolled back with it; what is counted here is not.
    is_certain = not transaction.get_connection(alias()).in_atomic_block
    opened = "0" if is_certain and standing.opening == _opening(entitlement) else "1"
    prefixes = (shard.keys.hold, shard.keys.client, REMEMBER_SECONDS)
    known = _holds(entitlement, in_redis, standing.holds)
    shard.install(user, [*begun, *_hash(entitlement, standing), user, opened, *prefixes, *known])


def look(shard: Shard, entitlement: Entitlement) -> Standing:
    """Read the journal first and the rows second, with the place that the rows have reached, in one statement:

    an entry that is flushed in between is then in the rows, and the place says so. What is left is replayed on
    the holds as the rows have them, as a flush would; if one comes in between, all is read again.
    """
    user = encoded(entitlement.user_id).decode()
    entries = [entry for entry in _entries(shard) if entry[1].get("u") == user]
    UsageJournal.objects.using(alias()).get_or_create(shard=shard.number)
    place, found = _rows(shard, entitlement)
    while True:
        pending = [fields for entry_id, fields in entries if position(entry_id) > position(place)]
        settled = {fields["h"] for fields in pending if fields["k"] == "z"}
        batch = Batch({hold.pk.hex: hold for hold in holds().filter(pk__in=settled)} if settled else {})
        seen, place_now = found, place
        if settled:
            place_now, found = _rows(shard, entitlement)
        if place_now == place:
            return _add_up(seen, batch, pending, (user, entitlement.period.start))
        place = place_now


def _rows(shard: Shard, entitlement: Entitlement) -> tuple[str, Mapping[str, Any]]:
    """The place that the rows have reached, and the period's record if there is one."""
    record = UsageRecord.objects.filter(
        user_id=entitlement.user_id, billing_period_start=entitlement.period.start
    )
    parts = {f"record_{name}": Subquery(record.values(name)) for name in (*_COUNTED, *_REMEMBERED)}
    place = UsageJournal.objects.using(alias()).filter(shard=shard.number)
    row: Mapping[str, Any] = place.values("last_id", **parts).get()
    return row["last_id"], {name: row[f"record_{name}"] for name in (*_COUNTED, *_REMEMBERED)}


def _add_up(found: Mapping[str, Any], batch: Batch, pending: list[Fields], record: RecordKey) -> Standing:
    opened = {name: found[name] for name in _REMEMBERED} if found["billing_period_end"] else None
    changed: datetime | None = found["updated_at"]
    batch.replay(pending)
    change = batch.changes[record]
    for entry in pending:
        if record_key(entry) != record:
            continue
        if entry["k"] == "o":
            opened = opening(entry)
        else:
            changed = moment(int(entry["n"]))
    videos = change.applied_to(found["video_count"] or 0, Metric.VIDEO)
    seconds = change.applied_to(found["transcription_seconds"] or 0, Metric.TRANSCRIPTION)
    return Standing(Counters(videos, seconds, changed), opened, batch.holds)


def _entries(shard: Shard) -> Iterator[tuple[str, Fields]]:
    last_id = "0-0"
    while page := decoded(shard.entries_after(last_id, _PAGE)):
        yield from page
        if len(page) < _PAGE:
            return
        last_id = page[-1][0]


def _hash(entitlement: Entitlement, standing: Standing) -> Iterator[Any]:
    now = timezone.now()
    until = now + timedelta(seconds=get_settings().USAGE_ENTITLEMENT_SECONDS)
    yield microseconds(min(until, entitlement.valid_until or entitlement.period.end))
    yield microseconds(entitlement.period.start)
    yield microseconds(entitlement.period.end)
    yield standing.counters.video_count
    yield standing.counters.transcription_seconds
    for limit in (entitlement.video_limit, entitlement.transcription_limit_seconds):
        yield "" if limit is None else limit
    changed = standing.counters.updated_at
    yield "" if changed is None else microseconds(changed)
    yield max(int((entitlement.period.end - now).total_seconds()), 0) + KEEP_SECONDS


def _opening(entitlement: Entitlement) -> dict[str, Any]:
    return {
        "billing_period_end": entitlement.period.end,
        "video_limit": entitlement.video_limit,
        "transcription_limit_seconds": entitlement.transcription_limit_seconds,
    }


def _holds(
    entitlement: Entitlement, in_redis: Iterable[UUID], journal: Mapping[str, UsageReservation]
) -> Iterator[Any]:
    """What the rows know of holds: for a Redis that was emptied, and where they were made or settled without it.

    What the journal has settled since is not held any more, even where Redis has forgotten the hold itself.
    """
    recently = timezone.now() - timedelta(seconds=REMEMBER_SECONDS)
    states = UsageReservation.State
    known = UsageReservation.objects.using(alias()).filter(user_id=entitlement.user_id)
    known = known.filter(
        Q(state=states.HELD)
        | Q(state=states.COMMITTED, key__isnull=False, settled_at__gt=recently)
        | Q(pk__in=in_redis)
    )
    for hold in known.select_related("record"):
        latest = journal.get(hold.pk.hex, hold)
        yield hold.pk.hex
        yield microseconds(hold.record.billing_period_start)
        yield microseconds(hold.record.billing_period_end)
        yield CODE[Metric(hold.metric)]
        yield hold.amount
        yield ReservationState(latest.state).value
        yield microseconds(hold.expires_at)
        yield latest.key or ""
