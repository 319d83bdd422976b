"""The mixin, in the test cases of Django's own runner."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan
from django_videoq_billing.testing import BillingTestCase, SandboxError, make_plan, make_user_on

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


class InATransaction(BillingTestCase, TestCase):
    ada: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = User.objects.create_user("ada", "ada@example.com")
        make_plan(slug="team", price_cents=9900)

    def test_data_of_the_class_is_of_the_same_moment(self) -> None:
        assert self.ada.date_joined == timezone.now() == START

    def test_a_life(self) -> None:
        self.subscribe(self.ada, "team")
        assert self.ada.subscription.plan.slug == "team"
        self.assert_quota(self.ada, "video", used=0, limit=5)
        self.advance(days=31)
        self.deliver_webhooks(twice=True)
        self.fail_next_payment(self.ada)
        assert self.renew(self.ada).status == "past_due"
        self.run_billing_jobs()
        self.change_plan(self.subscribed_user("premium"), "standard")
        self.cancel(self.ada)
        self.reactivate(self.ada)
        assert PaymentTransaction.objects.filter(user=self.ada).count() == 3

    def test_nothing_is_left_of_another_test(self) -> None:
        assert self.billing.objects("customer") == []
        assert SubscriptionPlan.objects.filter(slug="team").count() == 1
        assert connection.in_atomic_block


class WithoutATransaction(BillingTestCase, TransactionTestCase):
    def test_a_renewal(self) -> None:
        user = self.subscribed_user("standard")
        assert self.renew(user).status == "active"
        assert PaymentTransaction.objects.count() == 2


def test_the_clock_is_djangos_own_again() -> None:
    assert abs((timezone.now() - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.django_db
def test_an_unknown_plan_is_named() -> None:
    with pytest.raises(SandboxError, match=r"There is no plan 'pro'\. Plans: (free|none)"):
        make_user_on("pro")
    assert make_user_on("standard").subscription.plan.video_limit == 50, "a plan of the settings needs no row"
