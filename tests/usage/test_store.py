"""The contract of a usage store. Every store must pass this file, a host's own too: so all of it is in one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import UsageRecord, UsageReservation
from django_videoq_billing.services.entitlements import EntitlementOf, entitlement_of
from django_videoq_billing.types import Metric, Period, ReservationState
from django_videoq_billing.usage import UsageStore
from tests.factories import make_plan, subscribed

Entitled = EntitlementOf
AN_HOUR = timedelta(hours=1, seconds=1)


def used(store: UsageStore, entitled: Entitled, metric: Metric = Metric.VIDEO) -> int:
    return store.get(entitled()).used(metric)


def test_reserve_never_passes_the_limit(store: UsageStore, entitled: Entitled) -> None:
    granted = [store.reserve(entitled, Metric.VIDEO, 1).granted for _ in range(3)]

    assert granted == [True, True, False]
    assert used(store, entitled) == 2


def test_an_amount_that_does_not_fit_is_refused_whole(store: UsageStore, entitled: Entitled) -> None:
    store.reserve(entitled, Metric.VIDEO, 1)

    refused = store.reserve(entitled, Metric.VIDEO, 2)

    assert (refused.granted, refused.used, refused.limit, refused.id) == (False, 1, 2, None)
    assert store.reserve(entitled, Metric.VIDEO, 1).granted, "what still fits must be admitted"


def test_the_limit_itself_can_be_reserved_at_once(store: UsageStore, entitled: Entitled) -> None:
    granted = store.reserve(entitled, Metric.TRANSCRIPTION, 60)

    assert (granted.granted, granted.used, granted.remaining) == (True, 60, 0)


def test_a_limit_of_zero_admits_nothing(store: UsageStore) -> None:
    nobody = subscribed(make_plan(video_limit=0))

    assert not store.reserve(_entitled(nobody), Metric.VIDEO, 1).granted
    assert used(store, _entitled(nobody)) == 0


def test_an_unlimited_metric_is_counted_all_the_same(store: UsageStore) -> None:
    entitled = _entitled(subscribed(make_plan(video_limit=None)))

    granted = [store.reserve(entitled, Metric.VIDEO, 10**9) for _ in range(3)]

    assert [reservation.granted for reservation in granted] == [True] * 3
    assert granted[-1].remaining is None
    assert used(store, entitled) == 3 * 10**9


def test_metrics_do_not_share_a_counter(store: UsageStore, entitled: Entitled) -> None:
    store.reserve(entitled, Metric.VIDEO, 2)

    assert store.reserve(entitled, Metric.TRANSCRIPTION, 60).granted
    assert used(store, entitled, Metric.TRANSCRIPTION) == 60


def test_users_do_not_share_a_counter(store: UsageStore, entitled: Entitled, plan_of_two: Any) -> None:
    store.reserve(entitled, Metric.VIDEO, 2)

    assert store.reserve(_entitled(subscribed(plan_of_two)), Metric.VIDEO, 2).granted


def test_a_reservation_tells_where_the_counter_stands(store: UsageStore, entitled: Entitled) -> None:
    first, second = (store.reserve(entitled, Metric.VIDEO, 1) for _ in range(2))

    assert [(r.used, r.remaining) for r in (first, second)] == [(1, 1), (2, 0)]
    assert first.period == entitled().period


def test_commit_keeps_the_amount_and_counts_once(store: UsageStore, entitled: Entitled) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 1)

    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert [store.commit(hold.hold_id), store.commit(hold.hold_id)] == [True, False]
        assert used(store, entitled) == 1
        store.flush()
        row = UsageReservation.objects.get()
        assert (row.state, row.settled_amount, row.settled_at) == ("committed", 1, timezone.now())


def test_the_amount_of_the_first_commit_can_be_asked_for(store: UsageStore, entitled: Entitled) -> None:
    hold = store.reserve(entitled, Metric.TRANSCRIPTION, 30)
    assert store.settled_amount(hold.hold_id) is None

    store.commit(hold.hold_id, 20)
    store.commit(hold.hold_id, 25)
    assert store.settled_amount(hold.hold_id) == 20
    store.flush()
    assert store.settled_amount(hold.hold_id) == 20
    assert store.settled_amount(uuid4()) is None

    as_reserved = store.reserve(entitled, Metric.VIDEO, 1)
    store.commit(as_reserved.hold_id)
    assert store.settled_amount(as_reserved.hold_id) == 1


def test_release_gives_back_once(store: UsageStore, entitled: Entitled) -> None:
    kept = store.reserve(entitled, Metric.VIDEO, 1)
    hold = store.reserve(entitled, Metric.VIDEO, 1)

    assert [store.release(hold.hold_id), store.release(hold.hold_id)] == [True, False]
    assert used(store, entitled) == 1
    assert store.settled_amount(hold.hold_id) is None
    assert store.reserve(entitled, Metric.VIDEO, 1).granted
    assert store.commit(kept.hold_id)
    store.flush()
    row = UsageReservation.objects.get(pk=hold.hold_id)
    assert (row.state, row.settled_amount) == (ReservationState.RELEASED, 0)


@pytest.mark.parametrize(("actual", "counted"), [(10, 10), (30, 30), (0, 0), (90, 90)])
def test_commit_settles_what_was_really_used(
    store: UsageStore, entitled: Entitled, actual: int, counted: int
) -> None:
    hold = store.reserve(entitled, Metric.TRANSCRIPTION, 30)

    store.commit(hold.hold_id, actual)

    assert used(store, entitled, Metric.TRANSCRIPTION) == counted


def test_after_overage_the_next_is_refused(store: UsageStore, entitled: Entitled) -> None:
    store.commit(store.reserve(entitled, Metric.TRANSCRIPTION, 30).hold_id, 90)

    refused = store.reserve(entitled, Metric.TRANSCRIPTION, 1)

    assert (refused.granted, refused.used, refused.remaining) == (False, 90, 0)


def test_a_second_commit_does_not_change_the_first_figure(store: UsageStore, entitled: Entitled) -> None:
    hold = store.reserve(entitled, Metric.TRANSCRIPTION, 30)
    store.commit(hold.hold_id, 20)
    store.commit(hold.hold_id, 25)

    assert used(store, entitled, Metric.TRANSCRIPTION) == 20


def test_commit_after_release_and_release_after_commit_are_conflicts(
    store: UsageStore, entitled: Entitled
) -> None:
    released, committed = (store.reserve(entitled, Metric.VIDEO, 1) for _ in range(2))
    store.release(released.hold_id)
    store.commit(committed.hold_id)

    with pytest.raises(Conflict, match=r"\(released\)"):
        store.commit(released.hold_id)
    with pytest.raises(Conflict, match=r"\(released\)"):
        store.commit(released.hold_id, 5)
    with pytest.raises(Conflict, match=r"\(committed\)"):
        store.release(committed.hold_id)
    assert used(store, entitled) == 1


def test_an_unknown_reservation_is_refused(store: UsageStore, db: None) -> None:
    with pytest.raises(InvalidRequest):
        store.commit(uuid4())
    with pytest.raises(InvalidRequest):
        store.release(uuid4())


def test_what_is_held_open_is_not_counted_for_good(
    store: UsageStore, entitled: Entitled, plan_of_two: Any
) -> None:
    period, user_id = entitled().period, entitled().user_id
    other = _entitled(subscribed(plan_of_two, current_period_start=period.start))
    store.commit(store.reserve(other, Metric.VIDEO, 2).hold_id)
    store.reserve(other, Metric.TRANSCRIPTION, 30)
    store.reserve(entitled, Metric.VIDEO, 1)
    store.commit(store.reserve(entitled, Metric.TRANSCRIPTION, 20).hold_id)
    for amount in (15, 5):
        store.reserve(entitled, Metric.TRANSCRIPTION, amount)

    assert [store.committed(user_id, metric, period) for metric in Metric] == [0, 20]
    assert store.committed(other().user_id, Metric.VIDEO, period) == 2
    store.flush()
    store.clear()  # the rows say the same
    assert [store.committed(user_id, metric, period) for metric in Metric] == [0, 20]
    assert store.committed(other().user_id, Metric.VIDEO, period) == 2
    assert store.committed(user_id, Metric.TRANSCRIPTION, Period(period.end, period.end)) == 0


def test_an_overdue_hold_is_given_back_before_anybody_is_refused(
    store: UsageStore, entitled: Entitled
) -> None:
    store.reserve(entitled, Metric.VIDEO, 2)

    with time_machine.travel(timezone.now() + AN_HOUR, tick=False):
        assert store.reserve(entitled, Metric.VIDEO, 2).granted
        assert used(store, entitled) == 2


def test_a_hold_that_is_not_overdue_stays(store: UsageStore, entitled: Entitled) -> None:
    store.reserve(entitled, Metric.VIDEO, 2)

    with time_machine.travel(timezone.now() + timedelta(minutes=59), tick=False):
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted
        assert store.expire(timezone.now()) == 0


def test_expire_gives_back_all_overdue_holds_once(store: UsageStore, plan_of_two: Any) -> None:
    several = [_entitled(subscribed(plan_of_two)) for _ in range(3)]
    for entitled in several:
        store.reserve(entitled, Metric.VIDEO, 1)
        store.reserve(entitled, Metric.TRANSCRIPTION, 20)
        store.reserve(entitled, Metric.TRANSCRIPTION, 5)
        store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)

    later = timezone.now() + AN_HOUR
    assert [store.expire(later, batch_size=1), store.expire(later)] == [9, 0]
    assert [used(store, e) for e in several] == [1, 1, 1]
    assert [used(store, e, Metric.TRANSCRIPTION) for e in several] == [0, 0, 0]
    store.flush()
    expired = UsageReservation.objects.filter(state=ReservationState.EXPIRED)
    assert [(hold.settled_amount, hold.settled_at is None) for hold in expired] == [(0, False)] * 9


def test_expire_can_be_limited_to_one_user(store: UsageStore, entitled: Entitled, plan_of_two: Any) -> None:
    other = _entitled(subscribed(plan_of_two))
    store.reserve(entitled, Metric.VIDEO, 1)
    store.reserve(other, Metric.VIDEO, 1)

    assert store.expire(timezone.now() + AN_HOUR, user_id=entitled().user_id) == 1
    assert (used(store, entitled), used(store, other)) == (0, 1)


@pytest.mark.parametrize(("actual", "counted"), [(None, 2), (1, 1), (5, 5)])
def test_an_expired_hold_that_is_committed_after_all_counts_again(
    store: UsageStore, entitled: Entitled, actual: int | None, counted: int
) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 2)
    store.expire(timezone.now() + AN_HOUR)
    assert used(store, entitled) == 0

    assert store.commit(hold.hold_id, actual)
    assert not store.commit(hold.hold_id, actual)
    assert used(store, entitled) == counted


def test_releasing_an_expired_hold_gives_nothing_back_twice(store: UsageStore, entitled: Entitled) -> None:
    hold = store.reserve(entitled, Metric.VIDEO, 1)
    store.commit(store.reserve(entitled, Metric.VIDEO, 1).hold_id)
    store.expire(timezone.now() + AN_HOUR)

    assert store.release(hold.hold_id) is False
    assert used(store, entitled) == 1


def test_add_counts_past_the_limit(store: UsageStore, entitled: Entitled) -> None:
    counters = store.add(entitled, Metric.VIDEO, 7)

    assert counters.video_count == used(store, entitled) == 7
    assert not store.reserve(entitled, Metric.VIDEO, 1).granted


def test_get_of_an_unused_period_is_zero_and_writes_nothing(store: UsageStore, entitled: Entitled) -> None:
    counters = store.get(entitled())

    assert (counters.video_count, counters.transcription_seconds, counters.updated_at) == (0, 0, None)
    assert not UsageRecord.objects.exists()


class TestWithoutHold:
    def test_it_is_counted_for_good(self, store: UsageStore, entitled: Entitled) -> None:
        counted = [store.reserve(entitled, Metric.VIDEO, 1, hold=False) for _ in range(3)]

        assert [(c.granted, c.used, c.id) for c in counted] == [
            (True, 1, None),
            (True, 2, None),
            (False, 2, None),
        ]
        assert counted[0].state == ReservationState.COMMITTED
        assert store.expire(timezone.now() + AN_HOUR) == 0
        assert used(store, entitled) == 2

    def test_undo_takes_it_back_from_that_user_alone(
        self, store: UsageStore, entitled: Entitled, plan_of_two: Any
    ) -> None:
        start = entitled().period.start
        other = _entitled(subscribed(plan_of_two, current_period_start=start))
        store.reserve(other, Metric.VIDEO, 1, hold=False)
        store.reserve(entitled, Metric.VIDEO, 1, hold=False)
        store.undo(store.reserve(entitled, Metric.VIDEO, 1, hold=False))

        assert (used(store, entitled), used(store, other)) == (1, 1)
        store.flush()
        assert (
            list(UsageRecord.objects.values_list("video_count", "billing_period_start")) == [(1, start)] * 2
        )

    def test_undo_after_the_period_has_rolled_leaves_the_new_one_alone(
        self, store: UsageStore, entitled: Entitled
    ) -> None:
        counted = store.reserve(entitled, Metric.VIDEO, 2, hold=False)

        with time_machine.travel(entitled().period.end, tick=False):
            store.reserve(entitled, Metric.VIDEO, 1, hold=False)
            store.undo(counted)
            assert used(store, entitled) == 1
        store.flush()
        assert sorted(UsageRecord.objects.values_list("video_count", flat=True)) == [0, 1]

    def test_an_overdue_hold_makes_room(self, store: UsageStore, entitled: Entitled) -> None:
        store.reserve(entitled, Metric.VIDEO, 2)

        with time_machine.travel(timezone.now() + AN_HOUR, tick=False):
            assert store.reserve(entitled, Metric.VIDEO, 1, hold=False).used == 1


class TestCorrections:
    def test_a_negative_amount_corrects_and_stops_at_zero(
        self, store: UsageStore, entitled: Entitled
    ) -> None:
        store.add(entitled, Metric.VIDEO, 2)

        assert store.add(entitled, Metric.VIDEO, -1).video_count == 1
        assert store.reserve(entitled, Metric.VIDEO, 1).used == 2
        assert store.add(entitled, Metric.VIDEO, -7).video_count == 0
        store.flush()
        assert UsageRecord.objects.get().video_count == 0


class TestKeys:
    def test_a_repeated_key_counts_once(self, store: UsageStore, entitled: Entitled) -> None:
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        again = [store.reserve(entitled, Metric.VIDEO, amount, key="k") for amount in (1, 2)]

        assert not first.replayed
        assert again == [replace(first, replayed=True, state=ReservationState.HELD)] * 2
        assert used(store, entitled) == 1

    def test_a_committed_key_is_known_even_at_the_limit(self, store: UsageStore, entitled: Entitled) -> None:
        store.commit(store.reserve(entitled, Metric.VIDEO, 2, key="k").hold_id)

        again = store.reserve(entitled, Metric.VIDEO, 2, key="k")

        assert (again.granted, again.replayed, again.state) == (True, True, ReservationState.COMMITTED)

    def test_a_key_of_the_last_period_is_answered_with_that_period(
        self, store: UsageStore, entitled: Entitled
    ) -> None:
        first = store.reserve(entitled, Metric.VIDEO, 1, key="k")
        store.commit(first.hold_id)

        with time_machine.travel(first.period.end, tick=False):
            again = store.reserve(entitled, Metric.VIDEO, 1, key="k")
            assert (again.id, again.replayed, again.period) == (first.id, True, first.period)
            assert (again.used, used(store, entitled)) == (1, 0)

    def test_a_released_key_may_be_used_again(self, store: UsageStore, entitled: Entitled) -> None:
        store.release(store.reserve(entitled, Metric.VIDEO, 1, key="k").hold_id)

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.granted, again.replayed) == (True, False)
        assert used(store, entitled) == 1

    def test_the_key_of_a_dead_process_may_be_used_again(self, store: UsageStore, entitled: Entitled) -> None:
        store.reserve(entitled, Metric.VIDEO, 1, key="k")

        with time_machine.travel(timezone.now() + AN_HOUR, tick=False):
            again = store.reserve(entitled, Metric.VIDEO, 1, key="k")
            assert (again.granted, again.replayed) == (True, False)
            assert used(store, entitled) == 1

    def test_the_key_of_a_dead_process_admits_nobody_past_the_limit_of_the_next_period(
        self, store: UsageStore, entitled: Entitled
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1, key="k")

        with time_machine.travel(timezone.now() + timedelta(days=40), tick=True):
            store.reserve(entitled, Metric.VIDEO, 2)

            assert not store.reserve(entitled, Metric.VIDEO, 1, key="k").granted

    def test_a_refused_key_is_not_remembered(self, store: UsageStore, entitled: Entitled) -> None:
        full = store.reserve(entitled, Metric.VIDEO, 2)
        assert not store.reserve(entitled, Metric.VIDEO, 1, key="k").granted
        store.release(full.hold_id)

        again = store.reserve(entitled, Metric.VIDEO, 1, key="k")

        assert (again.granted, again.replayed) == (True, False)

    def test_keys_of_other_users_and_metrics_are_others(
        self, store: UsageStore, entitled: Entitled, plan_of_two: Any
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 1, key="k")
        other, full = (_entitled(subscribed(plan_of_two)) for _ in range(2))
        for metric, limit in ((Metric.VIDEO, 2), (Metric.TRANSCRIPTION, 60)):
            store.reserve(full, metric, limit)

        assert not store.reserve(other, Metric.VIDEO, 1, key="k").replayed
        assert not store.reserve(entitled, Metric.TRANSCRIPTION, 5, key="k").replayed
        assert not store.reserve(full, Metric.VIDEO, 1, key="k").granted
        assert not store.reserve(full, Metric.TRANSCRIPTION, 5, key="k").granted


class TestPeriods:
    def test_a_new_period_starts_at_zero_and_the_old_one_stays(
        self, store: UsageStore, entitled: Entitled, subscriber: Any
    ) -> None:
        store.commit(store.reserve(entitled, Metric.VIDEO, 2).hold_id)
        end = entitled().period.end

        with time_machine.travel(end, tick=False):
            assert store.reserve(entitled, Metric.VIDEO, 1).used == 1
            assert entitled().period.start == end
        store.flush()
        assert sorted(UsageRecord.objects.values_list("video_count", flat=True)) == [1, 2]

    def test_usage_belongs_to_the_period_in_which_it_was_reserved(
        self, store: UsageStore, entitled: Entitled
    ) -> None:
        start = entitled().period.start
        hold = store.reserve(entitled, Metric.TRANSCRIPTION, 30)

        with time_machine.travel(entitled().period.end + timedelta(days=70), tick=False):
            store.commit(hold.hold_id, 40)
            assert used(store, entitled, Metric.TRANSCRIPTION) == 0
        store.flush()
        assert UsageRecord.objects.get(billing_period_start=start).transcription_seconds == 40

    def test_a_raised_limit_counts_from_the_next_request(
        self, store: UsageStore, entitled: Entitled, plan_of_two: Any
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 2)
        assert not store.reserve(entitled, Metric.VIDEO, 1).granted

        plan_of_two.video_limit = 3
        plan_of_two.save()

        assert store.reserve(entitled, Metric.VIDEO, 1).granted

    def test_a_lowered_limit_refuses_but_takes_nothing_away(
        self, store: UsageStore, entitled: Entitled, plan_of_two: Any
    ) -> None:
        store.reserve(entitled, Metric.VIDEO, 2)
        plan_of_two.video_limit = 1
        plan_of_two.save()

        refused = store.reserve(entitled, Metric.VIDEO, 1)

        assert (refused.granted, refused.used, refused.remaining) == (False, 2, 0)


def _entitled(user: Any) -> Entitled:
    return entitlement_of(user)
