"""A site's days, one by one, as the job sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.models import (
    DailyFigures,
    DailyMoney,
    RecurringAmount,
    SubscriptionPlan,
    UsageRecord,
    WebhookEvent,
)
from django_videoq_billing.services.figures import close_to_limits, rebuild, roll_up
from django_videoq_billing.services.metrics import metrics_of
from django_videoq_billing.types import Period
from tests.factories import make_payment, make_plan, subscribed
from tests.services.figures.days import DAY, HOUR, MONDAY, ends, money, pays

pytestmark = pytest.mark.django_db


class TestMovement:
    def test_the_first_look_finds_no_movement(self, standard: SubscriptionPlan) -> None:
        pays(standard)
        roll_up(MONDAY)
        assert money(MONDAY) == {"arr": 14400}

    def test_each_kind_of_it(self, standard: SubscriptionPlan, premium: SubscriptionPlan) -> None:
        stays, grows, shrinks, leaves = pays(standard), pays(standard), pays(premium), pays(standard)
        roll_up(MONDAY)
        tuesday = MONDAY + DAY
        pays(standard)
        pays(premium, grows)
        pays(standard, shrinks)
        ends(leaves)
        roll_up(tuesday)
        assert money(tuesday) == {
            "arr": 3 * 14400 + 30000,
            "new": 14400,
            "expansion": 15600,
            "contraction": 15600,
            "churn": 14400,
        }
        row = DailyMoney.objects.get(date=tuesday.date())
        assert (row.subscriptions, row.subscriptions_new, row.subscriptions_churned) == (4, 1, 1)
        kept = RecurringAmount.objects.get(user=stays)
        assert (kept.plan, kept.currency, kept.a_year) == ("standard", "USD", 14400)

    def test_yesterdays_state_and_todays_movement_are_todays_state(
        self, standard: SubscriptionPlan, premium: SubscriptionPlan
    ) -> None:
        users = [pays(standard) for _ in range(4)]
        roll_up(MONDAY)
        ends(users[0])
        pays(premium, users[1])
        pays(premium)
        roll_up(MONDAY + DAY)
        was, row = DailyMoney.objects.order_by("date").filter(date__gte=MONDAY.date())
        assert row.arr == was.arr + row.new + row.expansion - row.contraction - row.churn

    def test_many_looks_at_a_day_find_what_one_finds(self, standard: SubscriptionPlan) -> None:
        leaves = pays(standard)
        roll_up(MONDAY)
        ends(leaves)
        pays(standard)
        for hours in (24, 25, 30):
            roll_up(MONDAY + hours * HOUR)
        assert money(MONDAY + DAY) == {"arr": 14400, "new": 14400, "churn": 14400}
        roll_up(MONDAY + 2 * DAY)
        assert money(MONDAY + 2 * DAY) == {"arr": 14400}

    def test_what_was_taken_back_on_its_day_moved_nothing(self, standard: SubscriptionPlan) -> None:
        roll_up(MONDAY)
        tuesday, short = MONDAY + DAY, pays(standard)
        roll_up(tuesday)
        assert money(tuesday) == {"arr": 14400, "new": 14400}
        ends(short)
        roll_up(tuesday + HOUR)
        assert money(tuesday) == {}

    def test_another_currency_is_an_end_and_a_beginning(
        self, standard: SubscriptionPlan, in_yen: SubscriptionPlan
    ) -> None:
        user = pays(standard)
        roll_up(MONDAY)
        pays(in_yen, user)
        roll_up(MONDAY + DAY)
        assert money(MONDAY + DAY) == {"churn": 14400}
        assert money(MONDAY + DAY, "JPY") == {"arr": 17760, "new": 17760}

    def test_a_deleted_user_has_ended(self, standard: SubscriptionPlan) -> None:
        user = pays(standard)
        roll_up(MONDAY)
        user.delete()
        roll_up(MONDAY + DAY)
        assert money(MONDAY + DAY) == {"churn": 14400}
        roll_up(MONDAY + 2 * DAY)
        assert not RecurringAmount.objects.exists()

    def test_missed_days_move_on_the_day_of_the_next_look(self, standard: SubscriptionPlan) -> None:
        roll_up(MONDAY)
        user = pays(standard)
        make_payment(user=user, plan=standard, created_at=MONDAY + DAY)
        roll_up(MONDAY + 3 * DAY)
        assert money(MONDAY + 3 * DAY) == {"arr": 14400, "new": 14400}
        tuesday = DailyMoney.objects.get(date=(MONDAY + DAY).date())
        assert (tuesday.source, tuesday.arr, tuesday.new) == ("ledger", 14400, 0)
        assert DailyFigures.objects.get(date=tuesday.date).measured_at is None

    def test_a_changed_price_is_movement(self, standard: SubscriptionPlan) -> None:
        pays(standard)
        roll_up(MONDAY)
        SubscriptionPlan.objects.update(price_cents=1500)
        roll_up(MONDAY + DAY)
        assert money(MONDAY + DAY) == {"arr": 18000, "expansion": 3600}


def test_recurring_revenue_is_that_of_billing_metrics(
    standard: SubscriptionPlan, premium: SubscriptionPlan, in_yen: SubscriptionPlan
) -> None:
    for plan in (standard, premium, in_yen, make_plan()):
        pays(plan)
        pays(plan, status="past_due")
        pays(plan, status="trialing")
        pays(plan, stripe_subscription_id=None)
        pays(plan, cancel_at_period_end=True)
        pays(plan, cancel_at_period_end=True, current_period_end=MONDAY + HOUR)
    now = MONDAY + 2 * HOUR
    roll_up(now)
    told = metrics_of(Period(MONDAY, now), now)
    rows = DailyMoney.objects.filter(date=now.date()).order_by("currency")
    assert [(row.currency, row.arr, row.subscriptions) for row in rows] == [
        (row.currency, row.arr, row.subscriptions) for row in told.recurring
    ]
    day = DailyFigures.objects.get(date=now.date())
    assert day.trials_running == told.trials.now
    assert day.plans["standard"] == {"active": 2, "past_due": 1, "trialing": 1, "given": 1, "ended": 1}


def test_the_days_together_are_the_window_of_billing_metrics() -> None:
    """Payments, dunning and trials: every day of the window, summed up."""
    for number in range(40):
        at = MONDAY - number * timedelta(hours=17)
        user = pays(make_plan(price_cents=900), trial_end=at)
        make_payment(user=user, created_at=at, currency=("USD", "JPY")[number % 2])
        make_payment(created_at=at, status="failed", stripe_object_id=f"in_failed_{number}")
        if number % 3 == 0:
            make_payment(created_at=at + 20 * DAY, stripe_object_id=f"in_failed_{number}")
        make_payment(created_at=at, amount_cents=-500, type="subscription_refund", status="refunded")
    later = MONDAY + 30 * DAY
    roll_up(later)
    window = Period(datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
    told = metrics_of(window, later)
    for revenue, dunning in zip(told.revenue, told.dunning, strict=True):
        rows = DailyMoney.objects.filter(
            date__gte=window.start.date(), date__lt=window.end.date(), currency=revenue.currency
        )
        sums = [
            sum(row[name] for row in rows.values()) for name in ("payments", "refunds", "failed", "recovered")
        ]
        assert sums == [revenue.payments, revenue.refunds, dunning.failed, dunning.recovered]
    days = DailyFigures.objects.filter(date__gte=window.start.date(), date__lt=window.end.date())
    assert sum(day.trials_ended for day in days) == told.trials.ended > 0
    assert sum(day.trials_converted for day in days) == told.trials.converted > 0


def test_a_payment_recovered_later_changes_its_day(standard: SubscriptionPlan) -> None:
    make_payment(created_at=MONDAY, status="failed", stripe_object_id="in_late")
    roll_up(MONDAY)
    assert DailyMoney.objects.get().recovered == 0
    make_payment(created_at=MONDAY + 10 * DAY, stripe_object_id="in_late")
    roll_up(MONDAY + 10 * DAY)
    assert DailyMoney.objects.get(date=MONDAY.date()).recovered == 1


def used(
    plan: SubscriptionPlan, count: int, limit: int | None, start: datetime, user: User | None = None
) -> User:
    """A user of the plan since `start`, and what was used in that period."""
    user = subscribed(plan, user, current_period_start=start)
    UsageRecord.objects.create(
        user=user,
        billing_period_start=start,
        billing_period_end=start + 2 * DAY,
        video_count=count,
        video_limit=limit,
    )
    return user


def usage(metric: str) -> dict[str, int]:
    found: dict[str, int] = DailyFigures.objects.get(date=MONDAY.date()).usage.get(metric, {})
    return found


def test_usage_by_parts_of_the_limit(standard: SubscriptionPlan) -> None:
    for count, limit in ((0, 10), (4, 10), (5, 10), (7, 10), (8, 10), (9, 10), (10, 10), (12, 10), (3, None)):
        used(standard, count, limit, MONDAY - DAY)
    used(standard, 0, 1, MONDAY - 2 * DAY)
    roll_up(MONDAY)
    assert usage("video") == {
        "unused": 1, "to_50": 1, "to_80": 2, "to_100": 2, "full": 2, "unlimited": 1
    }  # fmt: skip
    assert usage("transcription") == {"unlimited": 9}


def test_the_period_that_an_upgrade_has_cut_short_is_over(
    standard: SubscriptionPlan, premium: SubscriptionPlan
) -> None:
    user = used(standard, 10, 10, MONDAY - DAY)
    assert [record.user for record in close_to_limits(MONDAY, 20)] == [user]
    used(premium, 1, 100, MONDAY, user)
    assert close_to_limits(MONDAY, 20) == []
    roll_up(MONDAY)
    assert usage("video") == {"to_50": 1}


def processed(name: str, at: datetime, *, seconds: int) -> None:
    event = WebhookEvent.objects.create(
        stripe_event_id=name,
        type="invoice.paid",
        payload={},
        state="processed",
        next_attempt_at=at,
        created_at=at - timedelta(seconds=seconds),
        processed_at=at + timedelta(seconds=10),
    )
    WebhookEvent.objects.filter(pk=event.pk).update(received_at=at)


def lags() -> dict[date, float]:
    """By day, the seconds that the slowest of its events were on their way."""
    days = DailyFigures.objects.filter(webhooks__processing__count__gte=1)
    return {day: lag["delivery"]["p95"] for day, lag in days.values_list("date", "webhooks")}


def test_the_lag_of_the_days_events() -> None:
    for number, at in enumerate((MONDAY - DAY, MONDAY)):
        processed(f"evt_{number}", at, seconds=number + 1)
    roll_up(MONDAY)
    assert lags() == {(MONDAY - DAY).date(): 1.0, MONDAY.date(): 2.0}


def test_the_lag_of_an_old_day_is_read_again_by_a_rebuild_alone() -> None:
    long_ago = MONDAY - 5 * DAY
    roll_up(MONDAY)
    processed("evt_of_an_import", long_ago, seconds=3)
    roll_up(MONDAY)
    assert lags() == {}
    rebuild(long_ago.date(), MONDAY)
    assert lags() == {long_ago.date(): 3.0}
