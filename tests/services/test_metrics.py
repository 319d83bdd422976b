from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.services.metrics import Lag, Metrics, metrics_of
from django_videoq_billing.types import Period
from tests.factories import make_payment, make_plan, make_user, subscribed

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WINDOW = Period(datetime(2026, 11, 1, tzinfo=UTC), NOW)
BEFORE, INSIDE = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
Type, Status = PaymentTransaction.Type, PaymentTransaction.Status


def figures(window: Period = WINDOW) -> Metrics:
    return metrics_of(window, NOW)


def paying(plan: Any, **fields: Any) -> User:
    """A user whom Stripe bills, in a period that ends later."""
    user = make_user()
    values = {
        "stripe_subscription_id": f"sub_{user.pk}",
        "current_period_start": INSIDE,
        "current_period_end": LATER,
        **fields,
    }
    return subscribed(plan, user, **values)


class TestRecurring:
    def test_twelfths_are_added_up_before_they_are_rounded(self) -> None:
        """Three years at 10.02 are 2.505 a month; rounded one by one they would be 2.52, or 2.49."""
        yearly = make_plan(price_cents=1002, interval="year")
        for _ in range(3):
            paying(yearly)

        [row] = figures().recurring

        assert (row.currency, row.subscriptions, row.arr, row.mrr) == ("USD", 3, 3006, 251)

    def test_each_currency_by_itself(self) -> None:
        paying(make_plan(price_cents=1200))
        paying(make_plan(price_cents=1480, currency="JPY"))
        paying(make_plan(price_cents=12001, currency="JPY", interval="year"))

        assert [(row.currency, row.mrr, row.arr) for row in figures().recurring] == [
            ("JPY", 2480, 1480 * 12 + 12001),
            ("USD", 1200, 14400),
        ]

    @pytest.mark.parametrize(
        ("fields", "counts"),
        [
            ({}, True),
            ({"status": "past_due"}, True),
            ({"cancel_at_period_end": True}, True),
            ({"cancel_at_period_end": True, "current_period_end": NOW}, False),
            ({"status": "trialing"}, False),
            ({"status": "unpaid"}, False),
            ({"status": "paused"}, False),
            ({"status": "incomplete"}, False),
            ({"status": "cancelled"}, False),
            ({"stripe_subscription_id": None}, False),
        ],
    )
    def test_what_counts_as_paid(self, fields: dict[str, Any], counts: bool) -> None:
        paying(make_plan(price_cents=1200), **fields)
        [row] = figures().recurring
        assert row.mrr == (1200 if counts else 0)

    def test_trials_are_no_revenue_yet(self) -> None:
        paying(make_plan(price_cents=1200), status="trialing", trial_end=LATER)
        metrics = figures()
        assert (metrics.recurring[0].mrr, metrics.recurring[0].trial_mrr, metrics.trials.now) == (0, 1200, 1)

    def test_free_plans_have_no_row(self) -> None:
        subscribed(make_plan())
        assert figures().recurring == []


def test_every_user_is_in_one_column_of_one_plan() -> None:
    free, paid = make_plan(sort_order=1), make_plan(price_cents=1200, sort_order=2)
    for fields in (
        {},
        {"status": "past_due"},
        {"status": "trialing"},
        {"status": "unpaid"},
        {"status": "cancelled"},
        {"cancel_at_period_end": True, "current_period_end": NOW},
        {"stripe_subscription_id": None},
        {"stripe_subscription_id": ""},
    ):
        paying(paid, **fields)
    subscribed(free)

    first, second = figures().plans

    assert (first.plan, first.given, first.active) == (free.slug, 1, 0)
    counts = (second.active, second.past_due, second.trialing, second.given, second.ended)
    assert counts == (1, 1, 1, 2, 3)


class TestTrials:
    def trial(self, ended: datetime = INSIDE, paid_at: datetime | None = None, **fields: Any) -> User:
        user = paying(make_plan(price_cents=1200), trial_end=ended, **fields)
        if paid_at:
            make_payment(user=user, created_at=paid_at)
        return user

    def test_converted_lost_and_undecided(self) -> None:
        self.trial(paid_at=INSIDE + timedelta(hours=1))
        self.trial(paid_at=INSIDE + timedelta(hours=1), status="cancelled")
        self.trial(status="cancelled")
        self.trial(status="past_due")

        trials = figures().trials

        assert (trials.ended, trials.converted, trials.lost, trials.undecided) == (4, 2, 1, 1)
        assert trials.conversion_rate == 50.0

    def test_what_was_paid_before_the_trial_converts_nothing(self) -> None:
        self.trial(paid_at=BEFORE)
        assert figures().trials.converted == 0

    @pytest.mark.parametrize(
        ("ended", "counts"),
        [(BEFORE, 0), (WINDOW.start, 1), (NOW - timedelta(seconds=1), 1), (NOW, 0), (LATER, 0)],
    )
    def test_the_window_is_half_open(self, ended: datetime, counts: int) -> None:
        self.trial(ended)
        assert figures().trials.ended == counts

    def test_a_trial_that_still_runs_has_not_ended(self) -> None:
        self.trial(LATER, status="trialing")
        trials = figures(Period(WINDOW.start, LATER + timedelta(days=1))).trials
        assert (trials.now, trials.ended, trials.conversion_rate) == (1, 0, None)

    def test_a_trial_whose_cancellation_took_effect_runs_no_more(self) -> None:
        self.trial(LATER, status="trialing", cancel_at_period_end=True, current_period_end=NOW)
        assert figures().trials.now == 0


class TestChurn:
    def test_ended_and_ending(self) -> None:
        plan = make_plan(price_cents=1200)
        paying(plan)
        paying(plan, cancelled_at=INSIDE, status="cancelled")
        paying(plan, cancelled_at=INSIDE, cancel_at_period_end=True)
        paying(plan, cancelled_at=INSIDE, cancel_at_period_end=True, current_period_end=NOW)
        paying(plan, cancelled_at=BEFORE, status="cancelled")

        churn = figures().churn

        assert (churn.ended, churn.ending, churn.rate) == (2, 1, 50.0)

    def test_for_the_past_there_is_no_rate(self) -> None:
        """How many paid at that time no row tells."""
        paying(make_plan(price_cents=1200), cancelled_at=INSIDE, status="cancelled")
        churn = figures(Period(WINDOW.start, NOW - timedelta(days=1))).churn
        assert (churn.ended, churn.rate) == (1, None)


def test_new_customers_are_those_who_never_paid_before() -> None:
    old, new, failing = make_user(), make_user(), make_user()
    make_payment(user=old, created_at=BEFORE)
    make_payment(user=old, created_at=INSIDE)
    make_payment(user=new, created_at=INSIDE)
    make_payment(user=new, created_at=INSIDE + timedelta(days=1))
    make_payment(user=failing, created_at=INSIDE, status=Status.FAILED)
    assert figures().new_customers == 1


class TestRevenue:
    def test_net_of_refunds_and_disputes(self) -> None:
        line: dict[str, Any] = {"created_at": INSIDE}
        make_payment(**line)
        make_payment(**line, amount_cents=300, type=Type.PRORATION)
        make_payment(**line, amount_cents=-500, type=Type.SUBSCRIPTION_REFUND, status=Status.REFUNDED)
        make_payment(**line, amount_cents=-1200, type=Type.DISPUTE, status=Status.DISPUTED)
        make_payment(**line, amount_cents=9999, status=Status.FAILED)
        make_payment(**line, amount_cents=1480, currency="JPY")

        jpy, usd = figures().revenue

        assert (jpy.currency, jpy.payments, jpy.net) == ("JPY", 1480, 1480)
        assert (usd.payments, usd.refunds, usd.disputes, usd.net) == (1500, -500, -1200, -200)

    def test_what_came_back_is_no_loss(self) -> None:
        """A refund that the bank could not deliver, and a dispute that was won."""
        for kind, taken, back in (
            (Type.SUBSCRIPTION_REFUND, Status.REFUNDED, Status.FAILED),
            (Type.DISPUTE, Status.DISPUTED, Status.SUCCEEDED),
        ):
            line = {"created_at": INSIDE, "type": kind, "stripe_object_id": f"{kind}_1"}
            make_payment(**line, amount_cents=-700, status=taken)
            make_payment(**line, amount_cents=700, status=back)

        metrics = figures()

        assert (metrics.revenue[0].net, metrics.dunning[0].failed) == (0, 0)

    def test_the_window_is_half_open(self) -> None:
        for at in (BEFORE, WINDOW.start, NOW):
            make_payment(created_at=at)
        assert figures().revenue[0].payments == 1200

    def test_deleted_users_have_paid_all_the_same(self) -> None:
        make_payment(created_at=INSIDE).user.delete()  # type: ignore[union-attr]
        assert figures().revenue[0].net == 1200


def test_dunning_is_what_was_paid_after_it_failed() -> None:
    make_payment(created_at=INSIDE, status=Status.FAILED, stripe_object_id="in_mended")
    make_payment(created_at=LATER, stripe_object_id="in_mended")
    make_payment(created_at=INSIDE, status=Status.FAILED, amount_cents=4900)
    make_payment(created_at=INSIDE, amount_cents=700)
    make_payment(created_at=BEFORE, status=Status.FAILED, amount_cents=4900)

    [row] = figures().dunning

    assert (row.failed, row.failed_amount) == (2, 6100)
    assert (row.recovered, row.recovered_amount, row.recovery_rate) == (1, 1200, 50.0)


class TestWebhooks:
    def event(self, number: int, *, late: float, took: float | None = None, **fields: Any) -> WebhookEvent:
        """Received `late` seconds after it happened, and done `took` seconds later."""
        received = fields.pop("received_at", INSIDE)
        event = WebhookEvent.objects.create(
            stripe_event_id=f"evt_{number}",
            type="invoice.paid",
            payload={},
            state="received" if took is None else "processed",
            next_attempt_at=NOW,
            created_at=received - timedelta(seconds=late),
            processed_at=None if took is None else received + timedelta(seconds=took),
        )
        WebhookEvent.objects.filter(pk=event.pk).update(received_at=received, **fields)
        return event

    def test_percentiles_by_nearest_rank(self) -> None:
        for number in range(1, 21):
            self.event(number, late=21 - number, took=number * 10)

        lags = figures().webhooks

        assert lags.delivery == Lag(count=20, p50=10.0, p95=19.0, max=20.0)
        assert lags.processing == Lag(count=20, p50=100.0, p95=190.0, max=200.0)
        assert (lags.waiting, lags.oldest_waiting) == (0, None)

    def test_one_event(self) -> None:
        self.event(1, late=0.5, took=2.25)
        assert figures().webhooks.processing == Lag(count=1, p50=2.25, p95=2.25, max=2.25)

    def test_none(self) -> None:
        assert figures().webhooks.delivery == Lag(count=0, p50=None, p95=None, max=None)

    def test_what_waits_now_is_shown_whenever_it_came(self) -> None:
        self.event(1, late=1, received_at=BEFORE, state="failed")
        self.event(2, late=1)
        self.event(3, late=1, state="processing")
        self.event(4, late=1, state="ignored", processed_at=INSIDE)

        lags = figures().webhooks

        assert (lags.waiting, lags.failing) == (3, 1)
        assert lags.oldest_waiting == (NOW - BEFORE).total_seconds()
        assert (lags.delivery.count, lags.processing.count) == (3, 1)


def test_as_many_queries_for_many_as_for_nobody() -> None:
    with CaptureQueriesContext(connection) as nobody:
        figures()
    plans = [make_plan(price_cents=1200), make_plan(price_cents=1480, currency="JPY")]
    for plan in plans * 5:
        user = paying(plan, trial_end=INSIDE)
        make_payment(user=user, created_at=INSIDE, currency=plan.currency)
    with CaptureQueriesContext(connection) as many:
        figures()
    assert len(many) == len(nobody) == 8
