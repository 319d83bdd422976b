"""Lines of the ledger that differ from Stripe's payments are found, and written where they are missing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.exceptions import StripeFailure
from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.services import payments
from django_videoq_billing.services.reconciliation.findings import Findings
from django_videoq_billing.services.reconciliation.ledger import Ledger
from tests.services.reconciling import forget_payments, kinds, known, reconcile
from tests.stripe_site import OperatorsDriver, row_of

__all__ = ["known"]


def test_trouble_with_one_payment_is_told_by_its_kind(
    known: User, stripe_account: OperatorsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(object_id: str) -> None:
        raise StripeFailure("no")

    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    monkeypatch.setattr(payments, "record_refund", refuse)
    report = reconcile()
    told = {"kind": "error", "user_id": str(known.pk), "here": "", "at_stripe": "StripeFailure"}
    assert report["first"] == [{**told, "mended": False}]


def test_a_refund_of_no_charge_is_nobodys(known: User) -> None:
    """Stripe has refunds of payments that were no charges; nothing of ours is paid that way."""
    report: dict[str, Any] = {}
    Ledger(Findings(report), dry_run=False).refunds([{"id": "re_1", "charge": None, "status": "succeeded"}])
    assert report["differences"] == {}


def test_a_refund_that_is_under_way_is_no_line_yet(known: User) -> None:
    charge = {"id": "ch_1", "customer": row_of(known).stripe_customer_id}
    report: dict[str, Any] = {}
    under_way = {"id": "re_1", "charge": charge, "status": "pending"}
    Ledger(Findings(report), dry_run=False).refunds([under_way])
    assert report["differences"] == {}


def test_lines_that_are_missing(known: User, stripe_account: OperatorsDriver) -> None:
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    forget_payments()
    expected = {"missing_payment": 1, "missing_refund": 1, "missing_dispute": 1}

    assert kinds(reconcile(dry_run=True)) == expected
    assert not PaymentTransaction.objects.exists()
    report = reconcile()
    assert (kinds(report), report["mended"]) == (expected, 3)
    assert report["compared"] == {"subscriptions": 1, "invoices": 1, "refunds": 1, "disputes": 1}
    assert {found["at_stripe"] for found in report["first"]} == {
        "$12.00 succeeded",
        "-$5.00 refunded",
        "-$12.00 disputed",
    }
    assert sorted(PaymentTransaction.objects.values_list("amount_cents", flat=True)) == [-1200, -500, 1200]
    assert kinds(reconcile()) == {}


def test_a_line_with_another_amount_is_told_and_stays(known: User) -> None:
    """The ledger is append-only: somebody has to look."""
    line = PaymentTransaction.objects.get()
    fields = {f.attname: getattr(line, f.attname) for f in line._meta.fields if f.attname != "id"}
    forget_payments()
    PaymentTransaction.objects.create(**{**fields, "amount_cents": 1100})
    report = reconcile()
    assert (kinds(report), report["mended"]) == ({"payment_amount": 1}, 0)
    assert (report["first"][0]["here"], report["first"][0]["at_stripe"]) == ("$11.00", "$12.00")


def test_a_failed_attempt_that_is_missing(known: User, stripe_account: OperatorsDriver) -> None:
    customer_id = str(row_of(known).stripe_customer_id)
    method = stripe_account.api.payment_methods.attach(
        "pm_card_chargeCustomerFail", params={"customer": customer_id}
    )
    stripe_account.api.subscriptions.update(
        str(row_of(known).stripe_subscription_id), params={"default_payment_method": method.id}
    )
    stripe_account.advance(days=32)
    report = reconcile(days=100)
    assert kinds(report)["missing_payment"] == 1
    assert PaymentTransaction.objects.filter(status="failed").count() == 1
    assert "missing_payment" not in kinds(reconcile(days=100))
