"""What is counted, for whom, in which period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from dateutil.relativedelta import relativedelta

UserId = Any
"""An int, a str or a UUID: whatever the primary key of the host's user model is."""

MAX_AMOUNT = 10**9
"""The largest amount one operation may count: a billion videos, or 31 years of audio."""


class Metric(StrEnum):
    """What is counted. Videos are counted one by one, transcription in whole seconds of audio."""

    VIDEO = "video"
    TRANSCRIPTION = "transcription"


class ReservationState(StrEnum):
    """The life of a hold: held, then exactly one of the others. An expired hold may still be committed."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time, [start, end): its end is the first moment of the next period."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def rolled_to(self, moment: datetime, *, anchor: datetime, months: int = 1) -> Period:
        """Return the period that contains `moment`, which must not lie before this one.

        Boundaries fall `months` calendar months apart, counted from `anchor` and not from the boundary
        before, so that a period anchored on 31 January ends on 28 February and then on 31 March. Where
        this period does not end on such a boundary (it was set by hand), counting starts anew at its end:
        periods never overlap and never leave a gap.
        """
        if moment < self.end:
            return self
        anchor = self.next_anchor(anchor, months)
        count = max(_steps_between(anchor, self.end, months), _steps_between(anchor, moment, months))
        return Period(_boundary(anchor, count, months), _boundary(anchor, count + 1, months))

    def next_anchor(self, anchor: datetime, months: int) -> datetime:
        """Return what boundaries after this period count from: `anchor` if it leads to our end, else our end."""
        count = _steps_between(anchor, self.end, months)
        return anchor if _boundary(anchor, count, months) == self.end else self.end


def _boundary(anchor: datetime, count: int, months: int) -> datetime:
    return anchor + relativedelta(months=count * months)


def _steps_between(anchor: datetime, moment: datetime, months: int) -> int:
    """Return how many whole steps of `months` lie between; boundary(n) <= moment < boundary(n + 1)."""
    estimate = ((moment.year - anchor.year) * 12 + moment.month - anchor.month) // months
    return estimate if _boundary(anchor, estimate, months) <= moment else estimate - 1


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a user may use, and when: the limits of the effective plan over the current period.

    A limit of None means unlimited. Transcription is limited in seconds here, in minutes on plans.
    """

    user_id: UserId
    plan_slug: str
    plan_name: str
    video_limit: int | None
    transcription_limit_seconds: int | None
    period: Period
    feature_flags: Mapping[str, Any] = field(default_factory=dict)
    valid_until: datetime | None = None
    """When all this may change by the mere passing of time: at the period's end, or before."""

    def limit(self, metric: Metric) -> int | None:
        return self.video_limit if metric is Metric.VIDEO else self.transcription_limit_seconds


class EntitlementSource(Protocol):
    """Stores ask for the entitlement only when they need it: a store may already hold it beside the counters."""

    @property
    def user_id(self) -> UserId: ...

    def __call__(self) -> Entitlement: ...


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted in one period, holds that are still open included."""

    video_count: int = 0
    transcription_seconds: int = 0
    updated_at: datetime | None = None

    def used(self, metric: Metric) -> int:
        return self.video_count if metric is Metric.VIDEO else self.transcription_seconds


@dataclass(frozen=True, slots=True)
class Reservation:
    """The answer to a reserve: granted or refused, and where the counter stands after it.

    `replayed` says that the client key was known already, so nothing was counted by this call;
    `state` then tells how far the first call has come. A refused reservation has no id, and neither has one
    that was counted without a hold: its state is committed.
    """

    user_id: UserId
    metric: Metric
    amount: int
    granted: bool
    used: int
    limit: int | None
    period: Period
    id: UUID | None = None
    state: ReservationState = ReservationState.HELD
    replayed: bool = False

    @property
    def hold_id(self) -> UUID:
        """The id to commit or release by; raises ValueError where nothing is held."""
        if self.id is None:
            raise ValueError("This reservation holds nothing.")
        return self.id

    @property
    def remaining(self) -> int | None:
        """What is left of the limit; None where there is no limit, never negative."""
        return None if self.limit is None else max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class StoreLag:
    """How far `UsageRecord` is behind the store: the age of what waits longest, and how many entries wait."""

    seconds: float
    waiting: int


@dataclass(frozen=True, slots=True)
class UsageWarning:
    """One threshold of one metric, and whether this period's usage has reached it."""

    threshold: int
    resource: Metric
    reached: bool


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One period's usage beside its limits, for screens and for the API."""

    period: Period
    counters: Counters
    video_limit: int | None
    transcription_limit_seconds: int | None

    @property
    def video_usage_percentage(self) -> float | None:
        return percentage(self.counters.video_count, self.video_limit)

    @property
    def transcription_usage_percentage(self) -> float | None:
        return percentage(self.counters.transcription_seconds, self.transcription_limit_seconds)

    @property
    def transcription_minutes(self) -> float:
        return minutes(self.counters.transcription_seconds)

    @property
    def transcription_limit_minutes(self) -> int | None:
        limit = self.transcription_limit_seconds
        return None if limit is None else limit // 60

    @property
    def video_overage(self) -> int:
        return overage(self.counters.video_count, self.video_limit)

    @property
    def transcription_overage_seconds(self) -> int:
        return overage(self.counters.transcription_seconds, self.transcription_limit_seconds)

    def warnings(self, thresholds: tuple[int, ...]) -> list[UsageWarning]:
        """Return every threshold of every limited metric, reached or not."""
        shares = {
            Metric.VIDEO: self.video_usage_percentage,
            Metric.TRANSCRIPTION: self.transcription_usage_percentage,
        }
        return [
            UsageWarning(threshold, metric, share >= threshold)
            for metric, share in shares.items()
            if share is not None
            for threshold in thresholds
        ]


def percentage(used: int, limit: int | None) -> float | None:
    """Return `used` as a share of `limit` in percent, or None where there is no limit.

    Rounded down to a tenth, so that 100 is shown only when the limit is reached. A limit of 0 is always
    reached.
    """
    if limit is None:
        return None
    return used * 1000 // limit / 10 if limit else 100.0


def minutes(seconds: int) -> float:
    return round(seconds / 60, 1)


def overage(used: int, limit: int | None) -> int:
    return 0 if limit is None else max(used - limit, 0)
