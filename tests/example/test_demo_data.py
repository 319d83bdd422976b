"""The made-up year: plausible, consistent in itself, the same for the same seed, and gone when it is removed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db.models import F, Sum
from django.test import TestCase, override_settings

from django_videoq_billing.models import (
    DailyFigures,
    DailyMoney,
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    SubscriptionPlan,
    TranscriptionJob,
    UsageAlert,
    UsageCorrection,
    UsageRecord,
    UsageRefusal,
    UserSubscription,
    WebhookEvent,
)
from django_videoq_billing.services import alert_sweep, dunning, notifications, period_ends
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.metrics import Metrics, metrics_of
from django_videoq_billing.types import Metric, Period
from django_videoq_billing.webhooks import inbox
from tests.example.conftest import EXAMPLE
from tests.example.year import NOW, demo_data

Status, Type, Paid = UserSubscription.Status, PaymentTransaction.Type, PaymentTransaction.Status


@pytest.mark.urls("example_project.urls")
@pytest.mark.usefixtures("end_of_year")
class TestTheYear(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        with override_settings(**EXAMPLE), time_machine.travel(NOW, tick=False):
            demo_data()

    def test_there_are_users_in_every_state_and_more_sign_up_every_quarter(self) -> None:
        people = User.objects.filter(is_staff=False)
        quarters = Counter(
            (NOW - joined).days // 91 for joined in people.values_list("date_joined", flat=True)
        )
        states = Counter(UserSubscription.objects.values_list("plan__slug", "status"))

        assert people.count() == 300
        assert quarters[0] > quarters[1] > quarters[2] > quarters[3] > 0
        assert {user.email.partition("+")[2] for user in people} == {"demo@example.com"}
        assert not any(user.has_usable_password() for user in User.objects.all())
        for slug in ("standard", "premium", "demo-standard-jpy"):
            assert states[slug, Status.ACTIVE] > 10
            assert states[slug, Status.PAST_DUE] >= 1
            assert states[slug, Status.CANCELLED] >= 1
        assert states["demo-premium-yearly", Status.ACTIVE] > 0
        assert UserSubscription.objects.filter(status=Status.TRIALING).count() >= 4
        assert UserSubscription.objects.filter(cancel_at_period_end=True).count() >= 3
        assert UserSubscription.objects.filter(pending_plan__slug="standard").count() >= 2
        assert UserSubscription.objects.filter(assigned_until__gt=NOW).count() == 2
        assert UserSubscription.objects.filter(plan__slug="demo-studio").count() == 1
        assert states["free", Status.ACTIVE] > 100

    def test_the_figures_are_plausible(self) -> None:
        figures: Metrics = metrics_of(Period(NOW - timedelta(days=365), NOW), NOW)
        recurring = {row.currency: row for row in figures.recurring}
        dollars = next(row for row in figures.dunning if row.currency == "USD")
        churn = figures.churn

        assert set(recurring) == {"JPY", "USD"}
        assert recurring["JPY"].mrr == 1480 * recurring["JPY"].subscriptions
        assert 12 * 100 < recurring["USD"].mrr / recurring["USD"].subscriptions < 49 * 100
        assert 0 < dollars.recovered < dollars.failed
        assert figures.trials.conversion_rate is not None
        assert 50 < figures.trials.conversion_rate < 95
        assert churn.rate is not None
        assert 10 < churn.rate < 60
        assert all(row.net > 0 and row.refunds <= 0 and row.disputes <= 0 for row in figures.revenue)
        assert figures.webhooks.failing == 1
        assert 3600 < (figures.webhooks.oldest_waiting or 0) < 86400
        by_month = [
            metrics_of(Period(NOW - timedelta(days=days), NOW - timedelta(days=days - 90)), NOW)
            for days in (360, 90)
        ]
        first, last = (next(row.net for row in each.revenue if row.currency == "USD") for each in by_month)
        assert last > first

    def test_the_ledger_fits_the_subscriptions(self) -> None:
        paid = (Type.SUBSCRIPTION_PAYMENT, Type.PRORATION)
        for row in UserSubscription.objects.select_related("plan"):
            lines = PaymentTransaction.objects.filter(user_id=row.user_id)
            succeeded = lines.filter(type__in=paid, status=Paid.SUCCEEDED)
            if not row.stripe_subscription_id:
                assert not lines.exists()
                continue
            assert all(line.currency == row.plan.currency for line in lines)
            if row.status == Status.ACTIVE:
                newest = succeeded.filter(type=Type.SUBSCRIPTION_PAYMENT).latest("created_at")
                assert newest.created_at - row.current_period_start < timedelta(days=3)
                assert succeeded.latest("created_at").plan == row.plan
            elif row.status == Status.PAST_DUE:
                newest = lines.latest("created_at")
                assert (newest.status, newest.created_at) == (Paid.FAILED, row.current_period_start)
            elif row.status == Status.TRIALING:
                assert not lines.exists()
        prices = {plan.pk: plan.price_cents for plan in SubscriptionPlan.objects.all()}
        for line in PaymentTransaction.objects.filter(type=Type.SUBSCRIPTION_PAYMENT):
            assert line.amount_cents == prices[line.plan_id or 0]
        for line in PaymentTransaction.objects.filter(type=Type.PRORATION):
            assert 0 < line.amount_cents < prices[line.plan_id or 0]

    def test_money_comes_back_and_a_dispute_is_won(self) -> None:
        for line in PaymentTransaction.objects.filter(status__in=(Paid.REFUNDED, Paid.DISPUTED)):
            paid = PaymentTransaction.objects.filter(
                user=line.user, status=Paid.SUCCEEDED, created_at__lt=line.created_at
            )
            assert any(-line.amount_cents <= each.amount_cents for each in paid)
        disputes = PaymentTransaction.objects.filter(type=Type.DISPUTE)
        assert Counter(disputes.values_list("status", flat=True)) == {Paid.DISPUTED: 2, Paid.SUCCEEDED: 1}

    def test_each_has_one_record_now_with_the_limits_of_now(self) -> None:
        for user in User.objects.filter(is_staff=False):
            entitlement = entitlement_for(user)
            record = user.usage_records.get(billing_period_end__gt=NOW)
            assert record.period == entitlement.period
            assert (record.video_limit, record.transcription_limit_seconds) == (
                entitlement.video_limit,
                entitlement.transcription_limit_seconds,
            )

    def test_periods_follow_each_other_without_a_gap(self) -> None:
        for user in User.objects.filter(is_staff=False):
            records = list(user.usage_records.order_by("billing_period_start"))
            assert records[0].billing_period_start == user.date_joined
            for before, after in pairwise(records):
                assert before.billing_period_end == after.billing_period_start

    def test_completed_jobs_add_up_to_what_is_counted(self) -> None:
        done = TranscriptionJob.objects.filter(status=TranscriptionJob.Status.COMPLETED)
        for record in UsageRecord.objects.all():
            mine = done.filter(
                user_id=record.user_id,
                completed_at__gte=record.billing_period_start,
                completed_at__lt=record.billing_period_end,
            )
            assert (mine.aggregate(sum=Sum("duration_seconds"))["sum"] or 0) == record.transcription_seconds
            assert mine.count() <= max(record.video_count, 1)
        assert all(job.cost_cents * 100 == job.duration_seconds for job in done)
        assert TranscriptionJob.objects.filter(status=TranscriptionJob.Status.FAILED).exists()

    def test_some_are_at_their_limit_and_were_warned(self) -> None:
        share = (
            UsageRecord.objects.filter(video_count__gte=F("video_limit")).count()
            / UsageRecord.objects.count()
        )
        over = UsageRecord.objects.filter(transcription_seconds__gt=F("transcription_limit_seconds"))

        assert 0.02 < share < 0.3
        assert not UsageRecord.objects.filter(video_count__gt=F("video_limit")).exists()
        assert over.exists()
        for record in over:
            told = UsageAlert.objects.filter(
                user_id=record.user_id, metric=Metric.TRANSCRIPTION, period_start=record.billing_period_start
            )
            assert told.filter(threshold=100).exists()
        warned = Notification.objects.filter(kind=Notification.Kind.USAGE_WARNING).values_list(
            "key", flat=True
        )
        assert {int(key) for key in warned} == set(UsageAlert.objects.values_list("pk", flat=True))

    def test_what_support_did_holds(self) -> None:
        running = ExtraAllowance.objects.running(NOW)
        assert running.count() >= 3
        for allowance in running:
            row = UserSubscription.objects.get(user=allowance.user)
            assert row.extra_videos == allowance.amount
            assert row.user.usage_records.get(billing_period_end__gt=NOW).video_count > (
                row.plan.video_limit or 0
            )
        for correction in UsageCorrection.objects.all():
            record = correction.user.usage_records.get(billing_period_start=correction.period_start)
            assert correction.before > correction.after == record.video_count
            assert correction.author is not None
        assert UsageCorrection.objects.count() == 5
        assert not ExtraAllowance.objects.filter(author=None).exists()

    def test_nothing_lies_in_the_future(self) -> None:
        for model, field in (
            (User, "date_joined"),
            (PaymentTransaction, "created_at"),
            (TranscriptionJob, "completed_at"),
            (UsageAlert, "created_at"),
            (Notification, "created_at"),
            (WebhookEvent, "received_at"),
            (ExtraAllowance, "created_at"),
            (UsageCorrection, "created_at"),
        ):
            assert not model._default_manager.filter(**{f"{field}__gt": NOW}).exists(), model

    def test_the_jobs_find_nothing_left_to_do(self) -> None:
        """Else the demo would write hundreds of e-mails when it is filled."""
        mails = Notification.objects.count()

        assert sum(made for _place, made in alert_sweep.find_reached()) == 0
        assert list(dunning.remind())
        assert list(period_ends.catch_up()) == []
        assert notifications.send_due() == 0
        assert inbox.process_due() == 0
        assert Notification.objects.count() == mails

    def test_the_failed_event_can_be_mended(self) -> None:
        failed = WebhookEvent.objects.filter(state=WebhookEvent.State.FAILED)
        assert failed.get().attempts == 8
        inbox.replay(failed)

        assert inbox.process_due() == 1
        assert not failed.exists()

    def test_who_was_refused_had_used_all(self) -> None:
        refusals = UsageRefusal.objects.all()
        assert refusals.count() > 20
        for refusal in refusals:
            record = refusal.user.usage_records.get(
                billing_period_start__lte=refusal.created_at, billing_period_end__gt=refusal.created_at
            )
            assert refusal.used == refusal.limit == record.video_limit

    def test_the_dashboard_has_the_whole_year(self) -> None:
        days = DailyFigures.objects.order_by("date").values_list("date", flat=True)
        assert (days[0], days[len(days) - 1]) == (NOW.date() - timedelta(days=365), NOW.date())
        dollars = DailyMoney.objects.filter(currency="USD")
        assert dollars.latest("date").arr > dollars.earliest("date").arr
        assert dollars.latest("date").new == 0, "nobody has come on one day"
