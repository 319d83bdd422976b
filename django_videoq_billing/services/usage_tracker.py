"""Counting usage against a plan: what the decorator, the API and a host's own code call."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self, TypedDict
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from django_videoq_billing.exceptions import (
    AccountInactive,
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    QuotaExceeded,
)
from django_videoq_billing.models import UsageRecord
from django_videoq_billing.services import counting, refusal_notes, usage_alerts
from django_videoq_billing.services.entitlements import AnyUser, check_user, entitlement_for, entitlement_of
from django_videoq_billing.services.refusals import refusal_text
from django_videoq_billing.signals import quota_exceeded
from django_videoq_billing.types import (
    MAX_AMOUNT,
    Metric,
    Reservation,
    ReservationState,
    UsageReport,
)
from django_videoq_billing.usage import get_store

LONGEST_KEY = 255


class UsageCounts(TypedDict):
    """The answer of `UsageTracker.get_usage`."""

    video_count: int
    transcription_seconds: int
    updated_at: str | None


class Hold:
    """An admitted amount that is counted already. As a context manager it settles itself:

    the block's end commits it, an exception gives it back. Settle it earlier, or with the amount that was
    really used, with `commit`. A hold that is never settled is given back after RESERVATION_SECONDS.
    """

    reservation: Reservation
    id: UUID

    def __init__(self, reservation: Reservation) -> None:
        self.reservation = reservation
        self.id = reservation.hold_id
        self._settled = reservation.state is ReservationState.COMMITTED

    def commit(self, actual: int | None = None) -> None:
        """Settle with `actual`, which may pass the limit, or with the reserved amount. Safe to call twice."""
        if actual is not None and actual != 0:
            check_amount(actual)
        settled = counting.commit(self.id, actual)
        self._settled = True
        if settled:
            usage_alerts.settled(self.reservation, actual)

    def release(self) -> None:
        """Give the amount back. Safe to call twice; raises Conflict after a commit."""
        counting.release(self.id)
        self._settled = True

    def keep(self) -> None:
        """Leave the hold open after the block, for a worker that settles it later by its id."""
        self._settled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._settled:
            return
        if error is None:
            self.commit()
        elif not self.reservation.replayed:  # a repetition must not take back what the first caller holds
            with suppress(Conflict):  # a repetition has committed it; the block's own error goes on
                self.release()


class Counted:
    """An admitted amount without a hold: it is counted for good unless it is released."""

    reservation: Reservation

    def __init__(self, reservation: Reservation) -> None:
        self.reservation = reservation

    def commit(self) -> None:
        """Say that it stays: there is nothing to settle, but maybe something to warn of. Safe to call twice."""
        usage_alerts.settled(self.reservation)

    def release(self) -> None:
        """Take the amount back. Call it once."""
        get_store().undo(self.reservation)


class UsageTracker:
    """Admits and counts usage. Stateless: every method is called on the class.

    All raise NotAuthenticated or AccountInactive for a user who may use nothing, and InvalidRequest for an
    amount or metric that makes no sense.
    """

    @classmethod
    def reserve(cls, user: AnyUser, metric: Metric | str, amount: int = 1, key: str | None = None) -> Hold:
        """Count `amount` now, or raise QuotaExceeded with nothing counted; check and count are one step.

        With a client's `key` a repeated call counts once: it returns the first hold again while that one
        is open or committed (`hold.reservation.replayed`). Use the hold in a `with` statement, or commit
        or release it yourself.
        """
        check_key(key)
        return Hold(cls._admit(user, metric, amount, key=key))

    @classmethod
    def count(cls, user: AnyUser, metric: Metric | str, amount: int = 1) -> Counted:
        """Count `amount` for good, or raise QuotaExceeded with nothing counted; there is nothing to settle.

        One round trip with the Redis store. If the process dies afterwards the amount stays counted.
        """
        counted = cls.admit(user, metric, amount)
        counted.commit()
        return counted

    @classmethod
    def admit(cls, user: AnyUser, metric: Metric | str, amount: int = 1) -> Counted:
        """Like `count`, for a caller that says with `commit` or `release` how it ended."""
        return Counted(cls._admit(user, metric, amount, hold=False))

    @classmethod
    def _admit(
        cls, user: AnyUser, metric: Metric | str, amount: int, *, key: str | None = None, hold: bool = True
    ) -> Reservation:
        metric = read_metric(metric)
        check_amount(amount)
        reservation = counting.reserve(entitlement_of(user), metric, amount, key=key, hold=hold)
        if not reservation.granted:
            refusal_notes.note(reservation)
            quota_exceeded.send_robust(cls, user=user, reservation=reservation)
            raise QuotaExceeded(reservation, refusal_text(reservation))
        return reservation

    @classmethod
    def report(cls, user: AnyUser) -> UsageReport:
        """Return the current period's usage beside its limits."""
        entitlement = entitlement_for(user)
        return UsageReport(
            entitlement.period,
            get_store().get(entitlement),
            entitlement.video_limit,
            entitlement.transcription_limit_seconds,
        )

    @classmethod
    def get_usage(cls, user: AnyUser) -> UsageCounts:
        """Return the bare counters of the current period; `report` also knows the limits."""
        counters = cls.report(user).counters
        return {
            "video_count": counters.video_count,
            "transcription_seconds": counters.transcription_seconds,
            "updated_at": counters.updated_at.isoformat() if counters.updated_at else None,
        }

    @classmethod
    def can_upload_video(cls, user: AnyUser) -> tuple[bool, str]:
        """Return whether a video would be admitted now, and why not. Advice for screens: nothing is held."""
        return cls.can_use(user, Metric.VIDEO)

    @classmethod
    def can_transcribe(cls, user: AnyUser, duration_seconds: int = 1) -> tuple[bool, str]:
        """Return whether that many seconds would be admitted now, and why not. Nothing is held."""
        return cls.can_use(user, Metric.TRANSCRIPTION, duration_seconds)

    @classmethod
    def can_use(cls, user: AnyUser, metric: Metric | str, amount: int = 1) -> tuple[bool, str]:
        """Return whether `amount` would be admitted now, and why not. Nothing is held."""
        refused = cls.advise(user, metric, amount)
        return (True, "") if refused is None else (False, refused.message)

    @classmethod
    def advise(cls, user: AnyUser, metric: Metric | str, amount: int = 1) -> QuotaExceeded | None:
        """Return the error that `reserve` would raise now, or None. Counts nothing and holds nothing."""
        metric = read_metric(metric)
        check_amount(amount)
        store, entitlement = get_store(), entitlement_for(user)
        limit, used = entitlement.limit(metric), store.get(entitlement).used(metric)
        if limit is not None and used + amount > limit and store.expire(timezone.now(), user_id=user.pk):
            used = store.get(entitlement).used(metric)
        if limit is None or used + amount <= limit:
            return None
        reservation = Reservation(
            user_id=entitlement.user_id,
            metric=metric,
            amount=amount,
            granted=False,
            used=used,
            limit=limit,
            period=entitlement.period,
        )
        return QuotaExceeded(reservation, refusal_text(reservation))

    @classmethod
    def increment_video_count(cls, user: AnyUser, amount: int = 1) -> None:
        """Count videos that exist already, past the limit if need be. Not idempotent: prefer `reserve`."""
        cls._add(user, Metric.VIDEO, amount)

    @classmethod
    def increment_transcription_seconds(cls, user: AnyUser, seconds: int) -> None:
        """Count seconds already transcribed, past the limit if need be. Not idempotent: prefer `reserve`."""
        cls._add(user, Metric.TRANSCRIPTION, seconds)

    @classmethod
    def _add(cls, user: AnyUser, metric: Metric, amount: int) -> None:
        check_amount(amount)
        add(user, metric, amount)


def add(user: AnyUser, metric: Metric, amount: int) -> None:
    """Count past the limit if need be; a negative amount corrects. Not idempotent."""
    source = entitlement_of(user)
    used = get_store().add(source, metric, amount).used(metric)
    if source.answer is not None:
        limit = source.answer.limit(metric)
        usage_alerts.counted(source.user_id, metric, source.answer.period, used, limit)


def report_or_none(user: object) -> UsageReport | None:
    """Return the report for a page that anybody may see: None for nobody, whatever stands for nobody there."""
    if not isinstance(user, AbstractBaseUser):
        return None
    try:
        return UsageTracker.report(user)
    except (NotAuthenticated, AccountInactive):
        return None


def past_reports(user: AnyUser, limit: int) -> list[UsageReport]:
    """Return the user's usage of ended periods, newest first, each beside the limits it had."""
    ended = UsageRecord.objects.filter(user_id=check_user(user), billing_period_end__lte=timezone.now())
    return [record.report for record in ended.order_by("-billing_period_start")[:limit]]


def release_expired(now: datetime) -> int:
    """Give back every hold that is overdue at `now`; return how many. Safe to run twice or in two places."""
    return counting.expire(now)


def flush_usage() -> int:
    """Bring what the store has counted into `UsageRecord`; return how many entries that took.

    Safe to stop anywhere and to run in several places at once: each entry is applied exactly once. Raises
    UsageUnavailable while the store is away.
    """
    return counting.flush()


def read_metric(metric: Metric | str) -> Metric:
    if isinstance(metric, Metric):
        return metric
    try:
        return Metric(metric)
    except ValueError:
        raise InvalidRequest.unknown_metric(metric, [str(known) for known in Metric]) from None


def check_amount(amount: object, maximum: int = MAX_AMOUNT) -> None:
    if not isinstance(amount, int) or isinstance(amount, bool) or not 1 <= amount <= maximum:
        raise InvalidRequest.bad_amount(amount, maximum)


def check_key(key: object) -> None:
    if key is None:
        return
    if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidRequest.bad_key(LONGEST_KEY)
