from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from django_videoq_billing.types import (
    Counters,
    Entitlement,
    Metric,
    Period,
    Reservation,
    UsageReport,
    UsageWarning,
    minutes,
    overage,
    percentage,
)

moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 (hypothesis adds the time zone itself)
    max_value=datetime(2400, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
unhurried = settings(deadline=None)  # a busy machine is no failure
month_counts = st.sampled_from([1, 12])
ANCHOR = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, 9, 30, tzinfo=UTC)


def first_period(anchor: datetime, months: int) -> Period:
    return Period(anchor, anchor).rolled_to(anchor, anchor=anchor, months=months)


def roll(period: Period, anchor: datetime, months: int) -> tuple[Period, datetime]:
    """Roll into the next period as services.entitlements.current_period does: the anchor is kept with it."""
    return period.rolled_to(period.end, anchor=anchor, months=months), period.next_anchor(anchor, months)


@unhurried
@given(moments, month_counts, st.integers(1, 40))
@example(datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC), 12, 8)
@example(datetime(2024, 1, 31, tzinfo=UTC), 1, 26)
def test_periods_tile_the_time_line(anchor: datetime, months: int, steps: int) -> None:
    period = first_period(anchor, months)
    assert period.start == anchor
    for _ in range(steps):
        following, next_anchor = roll(period, anchor, months)
        assert next_anchor == anchor
        assert following.start == period.end
        assert following.start < following.end
        assert period.end not in period
        assert period.end in following
        period = following
    assert (period.start.time(), period.end.time()) == (anchor.time(), anchor.time())


@unhurried
@given(moments, month_counts, st.timedeltas(timedelta(0), timedelta(days=365 * 20)))
def test_a_far_moment_is_reached_in_one_step_as_in_many(
    anchor: datetime, months: int, wait: timedelta
) -> None:
    moment, period = anchor + wait, first_period(anchor, months)
    far = period.rolled_to(moment, anchor=anchor, months=months)
    assert moment in far
    while moment not in period:
        period, _ = roll(period, anchor, months)
    assert far == period


@unhurried
@given(moments, month_counts, st.lists(st.timedeltas(timedelta(0), timedelta(days=900)), max_size=6))
def test_a_period_never_moves_back(anchor: datetime, months: int, waits: list[timedelta]) -> None:
    period, moment = first_period(anchor, months), anchor
    for wait in waits:
        moment += wait
        before = period
        period = period.rolled_to(moment, anchor=anchor, months=months)
        assert moment in period
        assert period == before or period.start >= before.end


@unhurried
@given(
    anchor=moments,
    start=moments,
    length=st.timedeltas(timedelta(microseconds=1), timedelta(days=800)),
    months=month_counts,
    steps=st.integers(1, 14),
)
@example(anchor=ANCHOR, start=day(2025, 1, 31), length=timedelta(days=10), months=1, steps=14)
@example(anchor=day(2030, 5, 5), start=day(2025, 1, 31), length=timedelta(days=59), months=1, steps=3)
def test_periods_set_by_hand_are_followed_without_gap_or_overlap(
    anchor: datetime, start: datetime, length: timedelta, months: int, steps: int
) -> None:
    period = Period(start, start + length)
    after_first = None
    for _ in range(steps):
        following, anchor = roll(period, anchor, months)
        assert following.start == period.end
        assert following.start < following.end
        assert after_first in (None, anchor), "the anchor settles at the first step"
        after_first, period = anchor, following


@unhurried
@given(moments, month_counts, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_a_period_set_by_hand_rolls_into_the_period_that_holds_the_moment(
    end: datetime, months: int, wait: timedelta
) -> None:
    by_hand = Period(end - timedelta(days=10), end)
    rolled = by_hand.rolled_to(end + wait, anchor=end - timedelta(days=10), months=months)
    assert end + wait in rolled
    assert rolled.start >= end


@pytest.mark.parametrize(
    ("year", "ends"),
    [
        (2025, [(2, 28), (3, 31), (4, 30), (5, 31), (6, 30)]),
        (2024, [(2, 29), (3, 31), (4, 30), (5, 31), (6, 30)]),
    ],
)
def test_month_ends_keep_the_31st(year: int, ends: list[tuple[int, int]]) -> None:
    anchor = day(year, 1, 31)
    period, seen = first_period(anchor, 1), []
    for _ in ends:
        seen.append((period.end.month, period.end.day))
        period, _ = roll(period, anchor, 1)
    assert seen == ends


def test_a_year_from_29_february_comes_back_to_it() -> None:
    anchor = day(2024, 2, 29)
    period, ends = first_period(anchor, 12), []
    for _ in range(4):
        ends.append(period.end)
        period, _ = roll(period, anchor, 12)
    assert ends == [day(2025, 2, 28), day(2026, 2, 28), day(2027, 2, 28), day(2028, 2, 29)]


def test_counting_starts_anew_where_a_period_was_set_by_hand() -> None:
    by_hand = Period(day(2025, 1, 31), day(2025, 2, 10))
    assert by_hand.next_anchor(ANCHOR, 1) == day(2025, 2, 10)
    following, anchor = roll(by_hand, ANCHOR, 1)
    assert following == Period(day(2025, 2, 10), day(2025, 3, 10))
    assert roll(following, anchor, 1)[0] == Period(day(2025, 3, 10), day(2025, 4, 10))


def test_a_period_that_still_runs_is_left_alone() -> None:
    period = Period(day(2025, 1, 1), day(2025, 1, 20))
    assert period.rolled_to(day(2025, 1, 19), anchor=ANCHOR) is period


def test_a_period_is_half_open() -> None:
    period = Period(day(2025, 1, 1), day(2025, 2, 1))
    assert day(2025, 1, 1) in period
    assert day(2025, 2, 1) not in period
    assert day(2025, 2, 1) - timedelta(microseconds=1) in period


@unhurried
@given(st.integers(0, 10**12), st.integers(1, 10**9))
@example(999, 1000)
@example(99999, 100000)
def test_100_percent_is_shown_exactly_when_the_limit_is_reached(used: int, limit: int) -> None:
    share = percentage(used, limit)
    assert share is not None
    assert (share >= 100) is (used >= limit)
    assert abs(share - used * 100 / limit) <= 0.1 + used * 1e-12
    assert overage(used, limit) == max(used - limit, 0)


@pytest.mark.parametrize(
    ("used", "limit", "share"),
    [(0, 3, 0.0), (1, 3, 33.3), (2, 3, 66.6), (3, 3, 100.0), (4, 3, 133.3), (0, 0, 100.0), (5, None, None)],
)
def test_percentages(used: int, limit: int | None, share: float | None) -> None:
    assert percentage(used, limit) == share


def test_without_a_limit_there_is_no_overage() -> None:
    assert overage(10**9, None) == 0


@pytest.mark.parametrize(("seconds", "shown"), [(0, 0.0), (1, 0.0), (3, 0.1), (60, 1.0), (90, 1.5)])
def test_minutes(seconds: int, shown: float) -> None:
    assert minutes(seconds) == shown


def report(videos: int, seconds: int, video_limit: int | None, limit: int | None) -> UsageReport:
    return UsageReport(first_period(ANCHOR, 1), Counters(videos, seconds), video_limit, limit)


def test_a_report_warns_at_each_threshold_of_each_limited_metric() -> None:
    assert report(9, 5000, 10, None).warnings((80, 90, 100)) == [
        UsageWarning(80, Metric.VIDEO, reached=True),
        UsageWarning(90, Metric.VIDEO, reached=True),
        UsageWarning(100, Metric.VIDEO, reached=False),
    ]
    assert [w.reached for w in report(0, 1800, 3, 1800).warnings((100,))] == [False, True]
    assert report(1, 1, None, None).warnings((80,)) == []


@unhurried
@given(st.integers(0, 2000), st.integers(0, 1000), st.integers(1, 100))
def test_a_warning_is_reached_exactly_at_its_share(used: int, limit: int, threshold: int) -> None:
    (warning,) = report(used, 0, limit, None).warnings((threshold,))
    assert warning.reached is (used * 100 >= threshold * limit)


def test_a_report_in_the_units_of_screens() -> None:
    shown = report(4, 2000, 3, 1800)
    assert (shown.video_usage_percentage, shown.transcription_usage_percentage) == (133.3, 111.1)
    assert (shown.transcription_minutes, shown.transcription_limit_minutes) == (33.3, 30)
    assert (shown.video_overage, shown.transcription_overage_seconds) == (1, 200)
    assert report(0, 0, None, None).transcription_limit_minutes is None


@pytest.mark.parametrize(("limit", "used", "remaining"), [(3, 1, 2), (3, 3, 0), (3, 5, 0), (None, 5, None)])
def test_what_is_left_of_a_limit_is_never_negative(
    limit: int | None, used: int, remaining: int | None
) -> None:
    hold = Reservation(1, Metric.VIDEO, 1, True, used, limit, first_period(ANCHOR, 1))
    assert hold.remaining == remaining


def test_a_refused_reservation_has_no_hold() -> None:
    refused = Reservation(1, Metric.VIDEO, 1, False, 3, 3, first_period(ANCHOR, 1))
    with pytest.raises(ValueError, match="holds nothing"):
        _ = refused.hold_id


def test_limits_and_counters_by_metric() -> None:
    entitlement = Entitlement(1, "free", "Free", 3, 1800, first_period(ANCHOR, 1))
    assert [entitlement.limit(metric) for metric in Metric] == [3, 1800]
    assert [Counters(1, 60).used(metric) for metric in Metric] == [1, 60]
