from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

from django_videoq_billing.types import (
    Counters,
    Entitlement,
    EntitlementSource,
    Metric,
    Period,
    Reservation,
    StoreLag,
    UserId,
)
from django_videoq_billing.usage.rows import committed


class UsageStore(ABC):
    """Keeps the counters of the current period. Every method is atomic and safe under any concurrency.

    Amounts are whole and positive (videos, or seconds of audio); callers have checked that already.
    """

    @abstractmethod
    def reserve(
        self,
        entitlement: EntitlementSource,
        metric: Metric,
        amount: int,
        *,
        key: str | None = None,
        hold: bool = True,
    ) -> Reservation:
        """Admit and count `amount`, or refuse and count nothing, in one step.

        A granted reservation is a hold of RESERVATION_SECONDS: commit or release it, or it expires. With a
        `key` known for this user and metric from a live or committed hold, that hold is returned
        (`replayed`) and nothing is counted again. Overdue holds of the user are given back before anybody
        is refused.

        Without `hold` the amount is counted for good and there is nothing to settle: `undo` takes it back.
        A key needs a hold.
        """

    @abstractmethod
    def undo(self, reservation: Reservation) -> None:
        """Take back what was counted without a hold, in the period in which it was counted. Not idempotent."""

    @abstractmethod
    def commit(self, reservation_id: UUID, actual: int | None = None) -> bool:
        """Settle a hold with what was really used, `actual`, or with the amount reserved.

        The actual amount may pass the limit: what already ran is counted, and the next reserve is refused.
        A hold that expired is counted again. Safe to call twice: returns False when it was committed
        before (the first amount stands). Raises Conflict when it was released.
        """

    @abstractmethod
    def settled_amount(self, reservation_id: UUID) -> int | None:
        """Return with what amount a hold was committed; None where it was not, or is not known."""

    @abstractmethod
    def release(self, reservation_id: UUID) -> bool:
        """Give a hold back. Safe to call twice: returns False when it was released or had expired before.

        Raises Conflict when it was committed.
        """

    @abstractmethod
    def add(self, entitlement: EntitlementSource, metric: Metric, amount: int) -> Counters:
        """Count `amount` whatever the limit says, for usage that has already happened. Not idempotent.

        A negative amount corrects the counter, which does not go below zero.
        """

    @abstractmethod
    def get(self, entitlement: Entitlement) -> Counters:
        """Return the counters of the entitlement's period; zero where nothing was counted. Writes nothing."""

    def committed(self, user_id: UserId, metric: Metric, period: Period) -> int:
        """Return what of the period's counter is counted for good: without the holds that are open. Writes nothing.

        May lag behind, as the rows do.
        """
        return committed(user_id, metric, period)

    @abstractmethod
    def expire(self, now: datetime, *, user_id: UserId | None = None, batch_size: int = 500) -> int:
        """Give back every hold (of one user) that is overdue at `now`; return how many.

        Safe to run twice and in several places at once.
        """

    def forget(self, user_id: UserId | None = None) -> None:  # noqa: B027 (most stores remember nothing)
        """The user's plan, period or record has changed in the database; without a user, everybody's may have.

        What a store keeps of it counts no more from here on. Called after the commit. Safe to call twice.
        """

    def clear(self) -> None:  # noqa: B027 (the same)
        """Forget everything that is not in rows, counters that were not flushed included. For tests alone."""

    def flush(self) -> int:
        """Bring what was counted into `UsageRecord`; return how many entries that took.

        Safe to stop anywhere, to run twice and in several places at once: each entry is applied exactly once.
        """
        return 0

    def lag(self) -> StoreLag:
        """Return how far `UsageRecord` is behind. Raises UsageUnavailable where the store does not answer in time."""
        return StoreLag(0, 0)

    def risks(self) -> list[tuple[str, str, str]]:
        """What in the set-up of the store's server could lose usage: check id, sentence and hint of each."""
        return []
