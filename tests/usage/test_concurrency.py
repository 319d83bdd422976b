"""Races on a real database server: real threads, real connections, and an invariant that must hold each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, QuotaExceeded
from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UsageReservation, UserSubscription
from django_videoq_billing.services import transcription
from django_videoq_billing.services.entitlements import ensure_subscription, entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker, release_expired
from django_videoq_billing.types import Metric, ReservationState
from django_videoq_billing.usage import get_store
from tests.databases import ON_SQLITE
from tests.factories import make_plan, make_user, subscribed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THREADS, ATTEMPTS, LIMIT = 8, 50, 100
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def _on_a_server() -> None:
    assert not ON_SQLITE, "run these with `python -m tests.with_postgres pytest -m postgres`"


def at_once(work: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """Run `work(number)` in that many threads, all let go at the same moment; errors are raised here."""
    barrier = Barrier(threads)

    def run(number: int) -> Result:
        try:
            barrier.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exactly_the_limit_is_admitted(seed: int) -> None:
    """Commits, releases and crashes in 8 threads: what stays counted is exactly what was kept."""
    user = subscribed(make_plan(video_limit=LIMIT))

    def attempts(number: int) -> tuple[int, int]:
        dice = random.Random(f"{seed}-{number}")  # noqa: S311 (a repeatable test, no secret)
        committed = crashed = 0
        for _ in range(ATTEMPTS):
            try:
                hold = UsageTracker.reserve(user, Metric.VIDEO)
            except QuotaExceeded:
                continue
            match dice.choice(["commit", "commit", "release", "crash"]):
                case "commit":
                    hold.commit()
                    committed += 1
                case "release":
                    hold.release()
                case _:
                    crashed += 1
        return committed, crashed

    results = at_once(attempts)
    committed, crashed = (sum(column) for column in zip(*results, strict=True))

    assert committed + crashed <= LIMIT
    assert UsageRecord.objects.get().video_count == committed + crashed

    release_expired(timezone.now() + timedelta(days=1))
    assert UsageRecord.objects.get().video_count == committed
    while UsageTracker.can_upload_video(user)[0]:
        UsageTracker.reserve(user, Metric.VIDEO).commit()
    assert UsageRecord.objects.get().video_count == LIMIT


@pytest.mark.parametrize("run", range(3))
def test_nobody_is_refused_below_the_limit(run: int) -> None:
    """400 attempts in one go, none given up: exactly 100 are admitted, never one more or fewer."""
    user = subscribed(make_plan(video_limit=LIMIT))

    def attempts(number: int) -> int:
        admitted = 0
        for _ in range(ATTEMPTS):
            with suppress(QuotaExceeded), UsageTracker.reserve(user, Metric.VIDEO):
                admitted += 1
        return admitted

    assert sum(at_once(attempts)) == LIMIT == UsageRecord.objects.get().video_count


def test_one_unit_left_has_exactly_one_winner() -> None:
    user = subscribed(make_plan(video_limit=1))

    def attempt(number: int) -> bool:
        try:
            UsageTracker.reserve(user, Metric.VIDEO).commit()
        except QuotaExceeded:
            return False
        return True

    assert sorted(at_once(attempt)) == [False] * (THREADS - 1) + [True]


def test_the_first_requests_of_a_period_make_one_record() -> None:
    user = subscribed(make_plan(video_limit=None))

    at_once(lambda number: UsageTracker.increment_video_count(user))

    assert UsageRecord.objects.get().video_count == THREADS


def test_racing_first_requests_of_a_user_make_one_subscription() -> None:
    make_user()
    UserSubscription.objects.all().delete()
    SubscriptionPlan.objects.all().delete()
    user = get_user_model().objects.get()

    subscriptions = at_once(lambda number: ensure_subscription(user).pk)

    assert len(set(subscriptions)) == 1
    assert SubscriptionPlan.objects.count() == 1


def test_racing_requests_at_the_period_end_roll_it_once() -> None:
    now = timezone.now()
    user = subscribed(
        make_plan(video_limit=LIMIT),
        current_period_start=now - timedelta(days=45),
        current_period_end=now - timedelta(days=15),
        period_anchor=now - timedelta(days=45),
    )

    def attempt(number: int) -> Any:
        UsageTracker.reserve(user, Metric.VIDEO).commit()
        return entitlement_for(user).period

    periods = at_once(attempt)

    assert len(set(periods)) == 1
    assert now in periods[0]
    assert UsageRecord.objects.get().video_count == THREADS


@pytest.mark.parametrize("room", [1, LIMIT])
def test_a_key_sent_by_all_at_once_counts_once(room: int) -> None:
    user = subscribed(make_plan(video_limit=room))

    holds = at_once(lambda number: UsageTracker.reserve(user, Metric.VIDEO, 1, "the same key").reservation)

    assert len({hold.id for hold in holds}) == 1
    assert sorted(hold.replayed for hold in holds) == [False] + [True] * (THREADS - 1)
    assert UsageRecord.objects.get().video_count == 1


@pytest.mark.parametrize("seed", range(5))
def test_commit_release_and_expiry_of_one_hold_race(seed: int) -> None:
    """Whoever wins, the counter tells the state the hold ended in."""
    user = subscribed(make_plan(video_limit=LIMIT))
    hold = UsageTracker.reserve(user, Metric.VIDEO, 7)
    moves: list[Callable[[], object]] = [
        lambda: get_store().commit(hold.id),
        lambda: get_store().commit(hold.id, 9),
        lambda: get_store().release(hold.id),
        lambda: get_store().expire(timezone.now() + timedelta(days=1)),
    ] * 2
    random.Random(seed).shuffle(moves)  # noqa: S311 (a repeatable test, no secret)

    def move(number: int) -> None:
        with suppress(Conflict):
            moves[number]()

    at_once(move)

    row = UsageReservation.objects.get()
    expected = row.settled_amount if row.state == ReservationState.COMMITTED else 0
    assert row.state != ReservationState.HELD
    assert UsageRecord.objects.get().video_count == expected


def test_racing_transcriptions_of_one_video_count_once() -> None:
    user = subscribed(make_plan(transcription_limit_minutes=10))
    video = make_user()  # any row of the host may be the video

    def attempt(number: int) -> bool:
        try:
            transcription.start(user, video, 60)
        except Conflict:
            return False
        return True

    assert sum(at_once(attempt)) == 1, "one job, and the seven others gave their seconds back"
    assert UsageRecord.objects.get().transcription_seconds == 60
