"""The same moves for Django's own test runner, as methods of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_videoq_billing.testing.clock import django_clock, from_unix
from django_videoq_billing.testing.kit import BillingSandbox
from django_videoq_billing.testing.process import START

if TYPE_CHECKING:
    from django.test import SimpleTestCase as _Test
else:
    _Test = object


class BillingTestCase(_Test):
    """Mix it into a TestCase or TransactionTestCase: `class Upgrades(BillingTestCase, TestCase)`.

    Each test begins with a fresh `self.billing` (a `BillingSandbox`), whose moves are methods here, too. What
    `setUpTestData` makes is made at the same moment; subscribe users in `setUp` or in the test.
    """

    billing: BillingSandbox

    @classmethod
    def setUpClass(cls) -> None:
        cls.enterClassContext(django_clock(from_unix(START)))
        super().setUpClass()

    def setUp(self) -> None:
        self.billing = self.enterContext(BillingSandbox())
        self.subscribed_user = self.billing.subscribed_user
        self.subscribe = self.billing.subscribe
        self.pay_checkout = self.billing.pay_checkout
        self.change_plan = self.billing.change_plan
        self.cancel = self.billing.cancel
        self.reactivate = self.billing.reactivate
        self.advance = self.billing.advance
        self.renew = self.billing.renew
        self.fail_next_payment = self.billing.fail_next_payment
        self.deliver_webhooks = self.billing.deliver_webhooks
        self.run_billing_jobs = self.billing.run_billing_jobs
        self.assert_quota = self.billing.assert_quota
        super().setUp()
