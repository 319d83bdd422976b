"""What support does by hand counts from the next request, on every store, and ends when it said it would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.exceptions import AccountInactive, Conflict, InvalidRequest, QuotaExceeded
from django_videoq_billing.models import ExtraAllowance, UsageCorrection, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.support import (
    correct_usage,
    extend_grace,
    grant_allowance,
    revoke_allowance,
)
from django_videoq_billing.services.usage_tracker import UsageTracker, flush_usage
from django_videoq_billing.types import MAX_AMOUNT
from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, make_user, subscribed

WHY: dict[str, Any] = {"reason": "An upload was lost.", "author": None}


@pytest.fixture
def ada(store: UsageStore) -> User:
    """A user of a plan of 2 videos and a minute."""
    return subscribed(make_plan(video_limit=2, transcription_limit_minutes=1))


def upload(user: User, amount: int = 1) -> None:
    UsageTracker.reserve(user, "video", amount).commit()


def is_refused(user: User, metric: str = "video", amount: int = 1) -> bool:
    try:
        UsageTracker.reserve(user, metric, amount).release()
    except QuotaExceeded:
        return True
    return False


def used(user: User) -> int:
    return UsageTracker.get_usage(user)["video_count"]


class TestAnExtraAllowance:
    def test_counts_from_the_next_request(self, ada: User) -> None:
        upload(ada, 2)
        assert is_refused(ada)
        boss = make_user(is_staff=True)
        allowance = grant_allowance(ada, "video", 1, reason="  Lost. ", author=boss)
        assert (allowance.reason, allowance.author_id) == ("Lost.", boss.pk)
        upload(ada)
        assert is_refused(ada)
        report = UsageTracker.report(ada)
        assert (report.counters.video_count, report.video_limit) == (3, 3)

    def test_is_for_its_metric_alone(self, ada: User) -> None:
        grant_allowance(ada, "transcription", 30, **WHY)
        assert not is_refused(ada, "transcription", 90)
        assert is_refused(ada, "transcription", 91)
        assert is_refused(ada, "video", 3)
        grant_allowance(ada, "video", 7, **WHY)
        assert not is_refused(ada, "video", 9)
        assert is_refused(ada, "transcription", 91)

    def test_two_add_up_and_one_is_taken_back(self, ada: User) -> None:
        first, _second = (grant_allowance(ada, "video", amount, **WHY) for amount in (1, 2))
        assert not is_refused(ada, "video", 5)
        assert is_refused(ada, "video", 6)
        assert revoke_allowance(first)
        assert not revoke_allowance(first), "it is over already"
        assert not is_refused(ada, "video", 4)
        assert is_refused(ada, "video", 5)

    def test_what_was_used_stays_counted_when_it_is_revoked(self, ada: User) -> None:
        allowance = grant_allowance(ada, "video", 3, **WHY)
        upload(ada, 4)
        revoke_allowance(allowance)
        assert used(ada) == 4
        assert is_refused(ada)

    def test_ends_with_the_period(self, ada: User) -> None:
        end = entitlement_for(ada).period.end
        assert grant_allowance(ada, "video", 5, **WHY).expires_at == end
        with time_machine.travel(end, tick=False):
            assert not is_refused(ada, "video", 2)
            assert is_refused(ada, "video", 3)

    def test_ends_at_its_own_moment_one_after_the_other(self, ada: User) -> None:
        now = timezone.now()
        for days in (1, 3):
            grant_allowance(ada, "video", 2, expires_at=now + timedelta(days=days), **WHY)
        limits = {}
        for days in (0, 1, 3):
            with time_machine.travel(now + timedelta(days=days, seconds=1), tick=False):
                limits[days] = (entitlement_for(ada).video_limit, is_refused(ada, "video", 5))
        assert limits == {0: (6, False), 1: (4, True), 3: (2, True)}

    def test_nobody_may_remember_the_limit_for_longer(self, ada: User) -> None:
        soon = timezone.now() + timedelta(hours=1)
        grant_allowance(ada, "video", 2, expires_at=soon, **WHY)
        assert entitlement_for(ada).valid_until == soon

    def test_may_outlast_the_period(self, ada: User) -> None:
        end = entitlement_for(ada).period.end
        grant_allowance(ada, "video", 2, expires_at=end + timedelta(days=5), **WHY)
        with time_machine.travel(end + timedelta(days=4), tick=False):
            assert entitlement_for(ada).video_limit == 4

    def test_a_plan_without_a_limit_stays_without(self, store: UsageStore) -> None:
        user = subscribed(make_plan(video_limit=None))
        grant_allowance(user, "video", 2, **WHY)
        assert entitlement_for(user).video_limit is None
        assert not is_refused(user, "video", 1000)

    @pytest.mark.parametrize("expiry", [None, timedelta(days=2)])
    def test_for_somebody_who_never_had_a_plan(self, store: UsageStore, expiry: timedelta | None) -> None:
        user = make_user()
        UserSubscription.objects.filter(user=user).delete()
        limit = 3 + 2
        grant_allowance(user, "video", 2, expires_at=timezone.now() + expiry if expiry else None, **WHY)
        assert not is_refused(user, "video", limit)
        assert is_refused(user, "video", limit + 1)


class TestACorrection:
    @pytest.mark.parametrize("to", [0, 1, 7])
    def test_moves_the_counter_exactly(self, ada: User, to: int) -> None:
        upload(ada, 2)
        boss = make_user(is_staff=True)
        row = correct_usage(ada, "video", to, reason="Counted twice.", author=boss)
        assert (row.before, row.after, row.author) == (2, to, boss)
        assert row.period_start == entitlement_for(ada).period.start
        assert used(ada) == to
        flush_usage()
        assert ada.usage_records.get().video_count == to
        assert used(ada) == to

    def test_makes_room_at_once(self, ada: User) -> None:
        upload(ada, 2)
        assert is_refused(ada)
        correct_usage(ada, "video", 1, **WHY)
        assert not is_refused(ada)

    def test_of_somebody_who_has_used_nothing(self, ada: User) -> None:
        correct_usage(ada, "transcription", 45, **WHY)
        assert UsageTracker.get_usage(ada)["transcription_seconds"] == 45

    def test_where_the_counter_stands_there_already_there_is_nothing_to_do(self, ada: User) -> None:
        upload(ada)
        with pytest.raises(Conflict, match="stands there already"):
            correct_usage(ada, "video", 1, **WHY)
        assert not UsageCorrection.objects.exists()

    def test_an_upload_that_is_under_way_ends_as_it_does(self, ada: User) -> None:
        upload(ada)
        hold = UsageTracker.reserve(ada, "video")
        correct_usage(ada, "video", 5, **WHY)
        hold.release()
        assert used(ada) == 4


class TestGrace:
    def overdue(self, **fields: Any) -> User:
        values = {"status": "past_due", "stripe_subscription_id": "sub_1", **fields}
        return subscribed(make_plan(video_limit=50), **values)

    @pytest.mark.django_db
    def test_the_plan_goes_on_until_then(self) -> None:
        now = timezone.now()
        user = self.overdue(grace_period_end=now + timedelta(days=1))
        extend_grace(user, now + timedelta(days=6))
        for day, limit in ((5, 50), (7, 3)):
            with time_machine.travel(now + timedelta(days=day), tick=False):
                assert entitlement_for(user).video_limit == limit

    @pytest.mark.django_db
    def test_an_earlier_moment_takes_nothing_away(self) -> None:
        end = timezone.now() + timedelta(days=3)
        user = self.overdue(grace_period_end=end)
        assert extend_grace(user, timezone.now() + timedelta(days=1)).grace_period_end == end

    @pytest.mark.django_db
    @pytest.mark.parametrize("status", ["active", "unpaid", "cancelled"])
    def test_only_where_a_payment_is_overdue(self, status: str) -> None:
        user = self.overdue(status=status)
        with pytest.raises(Conflict, match="No payment is overdue"):
            extend_grace(user, timezone.now() + timedelta(days=1))


Move = Callable[[User], object]
YESTERDAY: Callable[[], datetime] = lambda: timezone.now() - timedelta(days=1)  # noqa: E731
NONSENSE: dict[str, Move] = {
    "no amount": lambda user: grant_allowance(user, "video", 0, **WHY),
    "a negative amount": lambda user: grant_allowance(user, "video", -1, **WHY),
    "too much": lambda user: grant_allowance(user, "video", MAX_AMOUNT + 1, **WHY),
    "an unknown metric": lambda user: grant_allowance(user, "cpu", 1, **WHY),
    "no reason": lambda user: grant_allowance(user, "video", 1, reason=" ", author=None),
    "an end that has passed": lambda user: grant_allowance(user, "video", 1, expires_at=YESTERDAY(), **WHY),
    "a counter below zero": lambda user: correct_usage(user, "video", -1, **WHY),
    "a correction without a reason": lambda user: correct_usage(user, "video", 3, reason="", author=None),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_changes_nothing(user: User, case: str) -> None:
    upload(user)
    with pytest.raises(InvalidRequest):
        NONSENSE[case](user)
    assert not ExtraAllowance.objects.exists()
    assert not UsageCorrection.objects.exists()
    assert (used(user), entitlement_for(user).video_limit) == (1, 3)


@pytest.mark.django_db
def test_nothing_for_an_account_that_is_switched_off(user: User) -> None:
    user.is_active = False
    with pytest.raises(AccountInactive):
        grant_allowance(user, "video", 1, **WHY)
    with pytest.raises(AccountInactive):
        correct_usage(user, "video", 1, **WHY)
