from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.models import Notification, SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.alert_sweep import find_reached
from django_videoq_billing.services.moving_in import Left, Moved, MoveIn
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from django_videoq_billing.types import Period
from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, subscribed
from tests.usage.test_concurrency import at_once

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = Period(ANCHOR, datetime(2026, 12, 1, tzinfo=UTC))


class Host:
    """What the site's own tables say."""

    def __init__(self) -> None:
        self.videos: dict[int, Any] = {}
        self.asked: list[tuple[int, Period]] = []

    def count(self, user: Any, period: Period) -> int | Mapping[str, int]:
        self.asked.append((user.pk, period))
        answer = self.videos.get(user.pk, 0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def basic(store: UsageStore) -> SubscriptionPlan:
    """A plan of 5 videos, on every store."""
    return make_plan(slug="basic")


@pytest.fixture
def work(basic: SubscriptionPlan, host: Host) -> MoveIn:
    return MoveIn(basic, ANCHOR, host.count, batch_size=2)


def from_before(number: int = 1, **fields: Any) -> list[User]:
    """Users who were there before the app: `save` would give them the default plan."""
    names = [f"old{UserSubscription.objects.count()}{n}{len(fields)}" for n in range(number)]
    return User.objects.bulk_create([User(username=name, **fields) for name in names])


def used(user: User) -> tuple[int, int]:
    flush_usage()
    counts = UsageTracker.get_usage(user)
    recorded = UsageRecord.objects.filter(user=user, billing_period_start=ANCHOR).first()
    seen = (recorded.video_count, recorded.transcription_seconds) if recorded else (0, 0)
    assert seen == (counts["video_count"], counts["transcription_seconds"]), "rows and store agree"
    return seen


def by_pk(moves: Iterator[Moved]) -> dict[int, Moved]:
    return {move.user.pk: move for move in moves}


def test_everybody_is_on_the_plan_with_what_was_used(work: MoveIn, host: Host) -> None:
    users = from_before(5)
    host.videos = {
        users[0].pk: 3,
        users[3].pk: {"video": 1, "transcription": 90},
        users[4].pk: {"transcription": 7},
    }

    done = by_pk(work.run())

    assert [used(user) for user in users] == [(3, 0), (0, 0), (0, 0), (1, 90), (0, 7)]
    assert [move.given for move in done.values()] == [True] * 5
    rows = UserSubscription.objects.filter(plan__slug="basic", status="active")
    assert {(row.period, row.period_anchor) for row in rows} == {(PERIOD, ANCHOR)}
    assert rows.count() == 5
    assert sorted(host.asked) == [(user.pk, PERIOD) for user in users], "the running period, once for each"


def test_a_second_run_counts_nobody_twice(work: MoveIn, host: Host) -> None:
    users = from_before(3)
    host.videos = {users[0].pk: 3, users[1].pk: {"video": 1, "transcription": 90}}
    list(work.run())

    again = by_pk(work.run())

    assert [used(user) for user in users] == [(3, 0), (1, 90), (0, 0)]
    assert {(move.given, len(move.counted), move.left) for move in again.values()} == {(False, 0, None)}


def test_stopped_anywhere_it_goes_on(work: MoveIn, host: Host) -> None:
    users = from_before(5)
    host.videos = {user.pk: 2 for user in users}
    for done in (1, 2, 3, 4):
        moves = work.run()
        for _ in range(done):
            next(moves)
        moves.close()  # type: ignore[attr-defined]
        assert [used(user)[0] for user in users[: done + 1]] == [2] * done + [0]

    list(work.run())

    assert [used(user) for user in users] == [(2, 0)] * 5


def test_killed_between_two_counters_it_counts_the_other(work: MoveIn, host: Host) -> None:
    """With Redis the two are no transaction."""
    [user] = from_before()
    host.videos = {user.pk: {"video": 4}}
    list(work.run())
    host.videos = {user.pk: {"video": 4, "transcription": 60}}

    list(work.run())

    assert used(user) == (4, 60)


def test_more_than_the_limit_is_counted_and_refuses_the_next(work: MoveIn, host: Host) -> None:
    [user] = from_before()
    host.videos = {user.pk: 9}
    list(work.run())
    assert used(user) == (9, 0)
    assert not UsageTracker.can_upload_video(user)[0]


def test_that_the_site_moved_warns_nobody(work: MoveIn, host: Host) -> None:
    full, half = from_before(2)
    host.videos = {full.pk: 9, half.pk: 2}
    list(work.run())
    flush_usage()
    list(find_reached())
    assert not Notification.objects.exists()

    UsageTracker.reserve(half, "video", 2).commit()
    flush_usage()
    list(find_reached())
    assert Notification.objects.get().user == half


def test_who_is_on_another_plan_already_moves(work: MoveIn, host: Host) -> None:
    user = subscribed(make_plan(), current_period_start=NOW - timedelta(days=3), cancel_at_period_end=True)
    UsageTracker.reserve(user, "video").release()
    host.videos = {user.pk: 2}

    list(work.run())

    row = UserSubscription.objects.get(user=user)
    assert (row.plan.slug, row.period, row.cancel_at_period_end) == ("basic", PERIOD, False)
    assert used(user) == (2, 0)


def test_who_has_used_something_is_left_alone(work: MoveIn, host: Host) -> None:
    user = subscribed(make_plan(slug="other"))
    UsageTracker.count(user, "video")
    host.videos = {user.pk: 4}

    done = by_pk(work.run())

    assert (done[user.pk].left, done[user.pk].given) == (Left.COUNTED, False)
    assert UserSubscription.objects.get(user=user).plan.slug == "other"
    assert UsageTracker.get_usage(user)["video_count"] == 1
    assert host.asked == []


@pytest.mark.parametrize("status", ["active", "past_due", "incomplete", "cancelled"])
def test_who_is_known_to_stripe_is_left_alone(work: MoveIn, host: Host, status: str) -> None:
    user = subscribed(make_plan(slug="paid", price_cents=1), stripe_subscription_id="sub_1", status=status)
    host.videos = {user.pk: 4}
    before = UserSubscription.objects.values().get()

    done = by_pk(work.run())

    assert done[user.pk].left == Left.AT_STRIPE
    assert UserSubscription.objects.values().get() == before
    assert not UsageRecord.objects.exists()


def test_who_is_switched_off_has_the_plan_and_no_count(work: MoveIn, host: Host) -> None:
    [user] = from_before(is_active=False)
    host.videos = {user.pk: 4}

    done = by_pk(work.run())

    assert (done[user.pk].left, done[user.pk].given, host.asked) == (Left.SWITCHED_OFF, True, [])
    assert UserSubscription.objects.get(user=user).plan.slug == "basic"


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("no table"),
        -1,
        True,
        1.5,
        None,
        "3",
        10**10,
        {"videos": 3},
        {"video": 3, "transcription": -1},
    ],
)
def test_a_function_that_fails_for_one_does_not_stop_the_others(
    work: MoveIn, host: Host, answer: Any
) -> None:
    users = from_before(3)
    host.videos = {users[0].pk: answer, users[1].pk: 2, users[2].pk: 2}

    done = by_pk(work.run())

    assert [bool(move.error) for move in done.values()] == [True, False, False]
    assert [used(user) for user in users] == [(0, 0), (2, 0), (2, 0)]
    host.videos[users[0].pk] = 1
    list(work.run())
    assert used(users[0]) == (1, 0), "mended, it is counted by the next run"


def test_an_upload_meanwhile_is_counted_once(work: MoveIn, host: Host) -> None:
    """It is in the host's table when the host is asked, and counted by itself."""
    [user] = from_before()

    def count(user: Any, period: Period) -> int:
        UsageTracker.count(user, "video")
        return 3 + 1

    list(MoveIn(work.plan, ANCHOR, count).run())

    assert used(user) == (1, 0), "whose counter has moved is left as it is"


def test_who_buys_a_plan_meanwhile_is_left_alone(basic: SubscriptionPlan) -> None:
    [user] = from_before()
    paid = make_plan(price_cents=1200, video_limit=50)

    def count(user: Any, period: Period) -> int:
        subscribed(paid, user, stripe_subscription_id="sub_1")
        return 3

    [done] = MoveIn(basic, ANCHOR, count).run()

    assert (done.left, done.counted) == (Left.CHANGED, {})
    assert UserSubscription.objects.get(user=user).plan == paid
    assert UsageTracker.get_usage(user)["video_count"] == 0


def test_a_dry_run_says_the_same_and_writes_nothing(work: MoveIn, host: Host) -> None:
    new, late = from_before(2)
    other = subscribed(make_plan(slug="other"))
    busy = subscribed(make_plan())
    UsageTracker.count(busy, "video")
    flush_usage()
    host.videos = {new.pk: 3, late.pk: RuntimeError("no table"), other.pk: {"transcription": 5}, busy.pk: 2}
    rows = list(UserSubscription.objects.order_by("pk").values())
    records = list(UsageRecord.objects.values())

    said = by_pk(work.rehearse())

    assert list(UserSubscription.objects.order_by("pk").values()) == rows
    assert list(UsageRecord.objects.values()) == records
    assert UsageTracker.get_usage(busy)["video_count"] == 1
    assert said == by_pk(work.run())
    assert {move.given for move in by_pk(work.rehearse()).values()} == {False}
    assert not by_pk(work.rehearse())[new.pk].counted, "it is counted by now"


def test_without_a_function_only_plans_are_given(basic: SubscriptionPlan) -> None:
    [user] = from_before()
    assert [move.given for move in MoveIn(basic, ANCHOR).run()] == [True]
    assert used(user) == (0, 0)


@pytest.mark.django_db
def test_the_queries_do_not_grow_with_the_batch() -> None:
    """For users with nothing to count; who has something takes a transaction of its own."""
    plan, host = make_plan(), Host()

    def queries(number: int) -> int:
        from_before(number)
        with CaptureQueriesContext(connection) as seen:
            list(MoveIn(plan, ANCHOR, host.count, batch_size=100).run())
        User.objects.all().delete()
        return len(seen)

    assert queries(3) == queries(30)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("anchor", "interval", "start", "end"),
    [
        ("2025-01-31", "month", "2026-10-31", "2026-11-30"),
        ("2025-03-15", "year", "2026-03-15", "2027-03-15"),
        ("2026-11-25T12:00", "month", "2026-11-25T12:00", "2026-12-25T12:00"),
    ],
)
def test_the_running_period(anchor: str, interval: str, start: str, end: str) -> None:
    begun, *expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (anchor, start, end))
    [user] = from_before()
    host = Host()
    host.videos = {user.pk: 2}
    list(MoveIn(make_plan(interval=interval), begun, host.count).run())
    assert UsageTracker.report(user).period == Period(*expected)
    assert UsageTracker.get_usage(user)["video_count"] == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_count_everybody_once() -> None:
    plan, host = make_plan(video_limit=None), Host()
    users = from_before(12)
    host.videos = {user.pk: {"video": 2, "transcription": 30} for user in users}

    at_once(lambda number: list(MoveIn(plan, ANCHOR, host.count, batch_size=5).run()))

    assert [used(user) for user in users] == [(2, 30)] * 12
