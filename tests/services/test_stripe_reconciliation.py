"""What differs from Stripe is found, told without ids, and mended; the sandbox is asked over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_videoq_billing.exceptions import StripeFailure, StripeUnavailable
from django_videoq_billing.jobs import JOBS, run_job
from django_videoq_billing.models import (
    Notification,
    PaymentTransaction,
    SubscriptionPlan,
    UserSubscription,
)
from django_videoq_billing.services import stripe_rebuild, stripe_sync
from django_videoq_billing.services.reconciliation import Reconciliation, rounds
from django_videoq_billing.services.stripe_service import StripeService
from tests.factories import make_user
from tests.services.reconciling import forget_payments, kinds, known, reconcile
from tests.stripe_site import OperatorsDriver, row_of, subscribe

__all__ = ["known"]

PERIOD = timedelta(days=40)
SAID_OF_THE_ROW = {
    "status": "past_due",
    "plan": "premium",
    "cancellation": "at the end of the period",
}


def change(user: User, **fields: Any) -> None:
    UserSubscription.objects.filter(user=user).update(**fields)


def test_where_nothing_differs_nothing_is_told(known: User) -> None:
    before = [row | {"reconciled_at": None} for row in UserSubscription.objects.values()]
    report = reconcile()
    assert report == {
        "compared": {"subscriptions": 1, "invoices": 1},
        "differences": {},
        "mended": 0,
        "first": [],
    }
    assert [row | {"reconciled_at": None} for row in UserSubscription.objects.values()] == before


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("status", lambda plans: {"status": "past_due"}),
        ("plan", lambda plans: {"plan": plans["premium"]}),
        ("period", lambda plans: {"current_period_end": timezone.now() + PERIOD}),
        ("cancellation", lambda plans: {"cancel_at_period_end": True}),
        ("trial", lambda plans: {"trial_end": timezone.now() + PERIOD}),
        (
            "pending_plan",
            lambda plans: {"pending_plan": plans["free"], "pending_plan_effective_at": timezone.now()},
        ),
    ],
)
def test_a_row_that_differs_is_told_and_mended(
    known: User, kind: str, damage: Callable[[Any], dict[str, Any]]
) -> None:
    right = UserSubscription.objects.values("status", "plan", "current_period_end", "trial_end").get(
        user=known
    )
    fields = damage({plan.slug: plan for plan in SubscriptionPlan.objects.all()})
    change(known, **fields)

    looked = reconcile(dry_run=True)
    assert kinds(looked) == {kind: 1}
    assert looked["mended"] == 0
    for name, value in fields.items():
        assert getattr(row_of(known), name) == value, "a dry run changes nothing"

    report = reconcile()
    assert (kinds(report), report["mended"]) == ({kind: 1}, 1)
    [first] = report["first"]
    assert (first["kind"], first["user_id"], first["mended"]) == (kind, str(known.pk), True)
    assert first["here"] == SAID_OF_THE_ROW.get(kind, first["here"]) != first["at_stripe"]
    assert UserSubscription.objects.values(*right).get(user=known) == right
    assert kinds(reconcile()) == {}


def test_a_change_that_no_event_told_of(known: User, stripe_account: OperatorsDriver) -> None:
    stripe_account.api.subscriptions.cancel(str(row_of(known).stripe_subscription_id))
    report = reconcile()
    assert kinds(report) == {"status": 1, "cancellation": 1}
    assert row_of(known).status == "cancelled"


def test_one_that_charges_a_second_time_is_told_and_ended(
    known: User, stripe_account: OperatorsDriver
) -> None:
    row, premium = row_of(known), SubscriptionPlan.objects.get(slug="premium")
    first = stripe_account.api.subscriptions.retrieve(str(row.stripe_subscription_id))
    second = stripe_account.subscribe(
        str(row.stripe_customer_id),
        str(premium.stripe_price_id),
        default_payment_method=first.default_payment_method,
    )

    looked = reconcile(dry_run=True)
    told = {
        "kind": "second_subscription",
        "user_id": str(known.pk),
        "here": "standard",
        "at_stripe": "active",
    }
    assert looked["first"][0] == {**told, "mended": False}
    assert stripe_account.api.subscriptions.retrieve(second.id).status == "active"

    assert {**told, "mended": True} in reconcile()["first"]
    assert stripe_account.api.subscriptions.retrieve(second.id).status == "canceled"
    assert row_of(known).plan.slug == "standard"


def test_who_has_paid_and_is_on_the_free_plan_here(customer: User) -> None:
    """The checkout's events never came."""
    report = reconcile()
    assert {"plan", "missing_payment"} <= kinds(report).keys()
    assert row_of(customer).plan.slug == "standard"
    assert PaymentTransaction.objects.get().amount_cents == 1200


def test_a_customer_whom_the_row_forgot(known: User, plans: list[SubscriptionPlan]) -> None:
    forget_payments()
    change(known, stripe_customer_id=None, stripe_subscription_id=None, plan=plans[0])
    assert kinds(reconcile(dry_run=True)) == {"unknown_here": 1}
    assert row_of(known).plan.slug == "free"
    Notification.objects.all().delete()
    assert kinds(reconcile()) == {"unknown_here": 1}
    assert (row_of(known).plan.slug, PaymentTransaction.objects.count()) == ("standard", 1)
    assert not Notification.objects.exists(), "it is no news to the user"


def test_trouble_with_a_stranger_is_told_and_the_others_are_compared(
    known: User, stripe_account: OperatorsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(customer_id: str) -> None:
        raise StripeFailure("no")

    other = subscribe(stripe_account, make_user(), "premium")
    change(other, stripe_customer_id=None, stripe_subscription_id=None)
    change(known, status="past_due")
    monkeypatch.setattr(StripeService, "retrieve_customer", refuse)
    report = reconcile()
    assert kinds(report) == {"error": 1, "status": 1}
    told = {"kind": "error", "user_id": None, "here": "", "at_stripe": "StripeFailure", "mended": False}
    assert told in report["first"]


def test_trouble_with_one_row_is_told_and_mends_nothing(known: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(customer_id: str) -> None:
        raise StripeFailure("no")

    change(known, status="past_due")
    monkeypatch.setattr(stripe_sync, "sync_customer", refuse)
    told = {"kind": "error", "user_id": str(known.pk), "here": "", "at_stripe": "StripeFailure"}
    assert reconcile()["first"] == [{**told, "mended": False}]
    assert row_of(known).status == "past_due"


def test_a_subscription_that_is_nobodys_here(known: User) -> None:
    UserSubscription.objects.all().delete()
    report = reconcile()
    assert kinds(report) == {"nobody_here": 1}
    assert report["first"][0]["user_id"] is None
    assert report["first"][0]["at_stripe"].startswith("standard since 20")


def test_another_business_of_the_same_account_is_left_alone(
    known: User, stripe_account: OperatorsDriver
) -> None:
    stranger = stripe_account.customer()
    stripe_account.subscribe(stranger.id, stripe_account.price(500).id)
    [invoice] = stripe_account.api.invoices.list(params={"customer": stranger.id}).data
    charge = stripe_account.api.charges.list(params={"customer": stranger.id}).data[0]
    stripe_account.api.refunds.create(params={"charge": charge.id})
    assert invoice.status == "paid"
    assert kinds(reconcile()) == {}
    assert PaymentTransaction.objects.count() == 1


def test_who_is_billed_here_and_unknown_at_stripe(known: User, stripe_account: OperatorsDriver) -> None:
    stripe_account.reset()
    looked = reconcile(dry_run=True)
    assert kinds(looked) == {"unknown_at_stripe": 1}
    assert row_of(known).status == "active"
    report = reconcile()
    assert report["first"] == [
        {
            "kind": "unknown_at_stripe",
            "user_id": str(known.pk),
            "here": "standard (active)",
            "at_stripe": "cancelled",
            "mended": True,
        }
    ]
    assert row_of(known).status == "cancelled"


def test_with_a_wrong_key_nobody_loses_a_plan(
    known: User, stripe_account: OperatorsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another account knows none of them: that many are not mended but told."""
    monkeypatch.setattr(rounds, "FEW", 0)
    stripe_account.reset()
    report = reconcile()
    assert (kinds(report), report["mended"]) == ({"unknown_at_stripe": 1}, 0)
    assert row_of(known).status == "active"


def test_who_pays_an_earlier_price_of_a_plan_is_known_by_the_product(known: User) -> None:
    SubscriptionPlan.objects.filter(slug="standard").update(stripe_price_id="price_that_came_later")
    assert kinds(reconcile()) == {}
    change(known, plan=SubscriptionPlan.objects.get(slug="premium"))
    assert kinds(reconcile()) == {"plan": 1}
    assert row_of(known).plan.slug == "standard"


def test_one_user_alone(known: User, stripe_account: OperatorsDriver) -> None:
    other = subscribe(stripe_account, make_user(username="other"), "premium")
    [charge] = stripe_account.api.charges.list(
        params={"customer": str(row_of(known).stripe_customer_id)}
    ).data
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    forget_payments()
    work = Reconciliation()
    work.of_user(row_of(known))
    assert kinds(work.report) == {"missing_payment": 1, "missing_refund": 1, "missing_dispute": 1}
    assert work.report["compared"] == {"subscriptions": 1, "invoices": 1, "refunds": 1, "disputes": 1}
    assert row_of(other).plan.slug == "free"


def test_it_goes_on_where_it_stopped(
    known: User, stripe_account: OperatorsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 1)
    for name in ("u1", "u2"):
        subscribe(stripe_account, make_user(username=name), "standard")
    cursor: dict[str, Any] = {}
    report: dict[str, Any] = {}
    steps = 0
    while steps == 0 or cursor["done"] != ["subscriptions", "unseen", "invoices", "refunds", "disputes"]:
        steps += 1
        for _ in Reconciliation(cursor=cursor, report=report).steps():
            break
    assert steps == 3 + 3 + 1, "each page once"
    assert report["compared"] == {"subscriptions": 3, "invoices": 3}
    assert PaymentTransaction.objects.count() == 3


def test_pages_and_not_users_are_asked_for(
    known: User, stripe_account: OperatorsDriver, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        user = subscribe(stripe_account, make_user(username=f"n{number}"), "standard")
        stripe_rebuild.rebuild(str(row_of(user).stripe_customer_id))
    # A plan that costs more since: who pays the old price of the same product is on it as before.
    SubscriptionPlan.objects.filter(slug="standard").update(stripe_price_id="price_of_today")
    with caplog.at_level(logging.INFO, "stripe"):
        caplog.clear()
        assert kinds(reconcile()) == {}
    asked = [record.getMessage() for record in caplog.records if "Request to Stripe" in record.getMessage()]
    assert len(asked) == 4, "subscriptions, invoices, refunds, disputes"


def test_as_a_job_it_reports_and_survives_an_outage(known: User, stripe_account: OperatorsDriver) -> None:
    change(known, status="past_due")
    stripe_account.control("outage", mode="503", requests=10_000)
    failed = run_job(JOBS["reconcile_stripe"])
    assert failed is not None
    assert failed.error.startswith(StripeUnavailable.__name__)
    stripe_account.control("outage", mode="503", requests=0)
    row = run_job(JOBS["reconcile_stripe"])
    assert row is not None
    assert (row.outcome, row.cursor, row.report["differences"]) == ("ok", {}, {"status": 1})


def test_without_a_key_there_is_nothing_to_do(settings: Any, db: None) -> None:
    for name in ("reconcile_stripe", "fetch_missed_events"):
        row = run_job(JOBS[name])
        assert row is not None
        assert row.outcome == "ok"
