"""Moves that lock the same rows in every combination, on a real database server: no deadlock, no false refusal."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, QuotaExceeded
from django_videoq_billing.models import TranscriptionJob, UsageRecord, UsageReservation
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.services import transcription
from django_videoq_billing.services.usage_tracker import UsageTracker, release_expired
from tests.databases import ON_MARIADB
from tests.factories import make_plan, make_user, subscribed
from tests.usage.test_concurrency import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _impatient(db: None) -> None:
    """Find a deadlock in milliseconds instead of a second, as MariaDB always does."""
    if ON_MARIADB:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE \"{connection.settings_dict['NAME']}\" SET deadlock_timeout = '30ms'")


def kept() -> int:
    """What the holds say is counted."""
    holds = UsageReservation.objects.filter(metric="video")
    return sum(hold.amount if hold.state == "held" else hold.settled_amount or 0 for hold in holds)


@pytest.mark.parametrize("limit", [None, 1000])
def test_a_client_that_retries_a_failing_upload_with_its_key(limit: int | None) -> None:
    user = subscribed(make_plan(video_limit=limit))

    def retry(number: int) -> None:
        for _ in range(8):
            hold = UsageTracker.reserve(user, "video", 1, "the same key")
            with suppress(Conflict):
                hold.release()

    at_once(retry)

    assert UsageRecord.objects.get().video_count == kept()


def test_expiry_beside_keys() -> None:
    user = subscribed(make_plan(video_limit=None))

    def work(number: int) -> None:
        dice = random.Random(number)  # noqa: S311 (a repeatable test, no secret)
        for _ in range(6):
            if number % 2:
                UsageTracker.reserve(user, "video", 1, f"key {dice.randrange(3)}")
            else:
                release_expired(timezone.now() + timedelta(days=1))

    at_once(work)

    assert UsageRecord.objects.get().video_count == kept()


def test_room_that_overdue_holds_leave_goes_to_everybody_it_is_enough_for() -> None:
    for _ in range(3):
        user = subscribed(make_plan(video_limit=8))
        for _ in range(8):
            UsageTracker.reserve(user, "video")
        UsageReservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        at_once(lambda number, user=user: UsageTracker.reserve(user, "video").commit())  # type: ignore[misc]

        assert UsageTracker.get_usage(user)["video_count"] == 8


def test_a_host_that_locks_the_user() -> None:
    user = subscribed(make_plan(video_limit=None))

    def work(number: int) -> None:
        for _ in range(6):
            with transaction.atomic():
                if number % 2:
                    User.objects.select_for_update().get(pk=user.pk)
                UsageTracker.reserve(user, "video").commit()

    UsageTracker.reserve(user, "video").commit()
    at_once(work)

    assert UsageRecord.objects.get().video_count == 1 + 8 * 6


def test_a_job_that_is_cancelled_while_it_completes() -> None:
    """The view that cancels has reserved already in its transaction; the worker has not."""
    for _ in range(10):
        user, video = subscribed(make_plan(video_limit=None)), make_user()
        UsageTracker.reserve(user, "video").commit()
        job = transcription.start(user, video, 10)

        def settle(number: int, user: User = user, job: TranscriptionJob = job) -> None:
            with suppress(Conflict):
                if number:
                    transcription.complete(job, 12)
                else:
                    with transaction.atomic():
                        UsageTracker.reserve(user, "video").commit()
                        transcription.cancel(job)

        at_once(settle, 2)

        job.refresh_from_db()
        expected = 12 if job.status == "completed" else 0
        assert UsageTracker.get_usage(user)["transcription_seconds"] == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once(seed: int) -> None:
    user = subscribed(make_plan(video_limit=200, transcription_limit_minutes=100))

    def one(dice: random.Random) -> None:
        key = dice.choice([None, None, f"key {dice.randrange(4)}"])
        if dice.random() < 0.2:
            release_expired(timezone.now() + timedelta(days=dice.choice([0, 1])))
            return
        with suppress(QuotaExceeded, Conflict):
            hold = UsageTracker.reserve(user, "video", dice.choice([1, 2]), key)
            dice.choice([hold.commit, hold.release, lambda: hold.commit(3)])()

    @again_after_deadlock()  # as a host does: MariaDB undoes the whole of its transaction
    def in_a_transaction(dice: random.Random) -> None:
        with transaction.atomic():
            one(dice)
            transaction.set_rollback(dice.random() < 0.2)

    def work(number: int) -> None:
        dice = random.Random(f"{seed}-{number}")  # noqa: S311 (a repeatable test, no secret)
        for _ in range(15):
            dice.choice([one, in_a_transaction])(dice)

    at_once(work, 12)

    assert UsageRecord.objects.get().video_count == kept()
