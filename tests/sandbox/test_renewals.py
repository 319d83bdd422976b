"""What time does to a subscription: renewals, retries, trials, pauses."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver
from tests.sandbox.lives import DELETED, PAID, SIDE, UPDATED


def test_renewal(sandbox: Driver, subscription: stripe.Subscription) -> None:
    sandbox.advance(days=31)
    assert sandbox.new_types() == [UPDATED, "invoice.created"]
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.status, invoice.billing_reason) == ("draft", "subscription_cycle")
    sandbox.advance(seconds=3600)
    assert sandbox.new_types(without=SIDE) == ["invoice.finalized", *PAID]
    item = sandbox.item(subscription.id)
    assert item.current_period_end - item.current_period_start == 28 * DAY


def test_a_year_of_renewals_in_one_step(sandbox: Driver, subscription: stripe.Subscription) -> None:
    sandbox.advance(days=365, seconds=3600)
    events = sandbox.new_events()
    renewals = [event for event in events if event["type"] == "invoice.paid"]
    assert len(renewals) == 12
    assert [event["created"] for event in events] == sorted(event["created"] for event in events)
    assert len({event["created"] for event in renewals}) == 12
    assert (
        sandbox.item(subscription.id).current_period_end
        == subscription["items"].data[0].current_period_end + 365 * DAY
    )


def test_failed_renewal_recovers(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.control(f"customers/{customer.id}/fail_next", payments=2, reason="insufficient_funds")
    sandbox.advance(days=31, seconds=3600)
    assert sandbox.new_types(without=SIDE) == [
        UPDATED, "invoice.created", "invoice.finalized", "invoice.payment_failed", UPDATED,
    ]  # fmt: skip
    assert sandbox.status(subscription.id) == "past_due"
    sandbox.advance(days=3)
    assert sandbox.new_types(without=SIDE) == ["invoice.payment_failed"]
    sandbox.advance(days=5)
    assert sandbox.new_types(without=SIDE) == [*PAID, UPDATED]
    assert sandbox.status(subscription.id) == "active"


@pytest.mark.parametrize(
    ("policy", "status", "last"), [("cancel", "canceled", DELETED), ("unpaid", "unpaid", UPDATED)]
)
def test_failed_renewal_for_good(
    sandbox: Driver,
    customer: stripe.Customer,
    subscription: stripe.Subscription,
    policy: str,
    status: str,
    last: str,
) -> None:
    sandbox.control("switches", after_retries=policy)
    sandbox.control(f"customers/{customer.id}/fail_next", payments=99)
    sandbox.advance(days=31 + 16)
    types = sandbox.new_types(without=SIDE)
    assert types.count("invoice.payment_failed") == 4
    assert types[-1] == last
    after = sandbox.api.subscriptions.retrieve(subscription.id)
    assert after.status == status
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.status, invoice.next_payment_attempt, invoice.attempt_count) == ("open", None, 4)


def test_paying_the_open_invoice_recovers(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.control(f"customers/{customer.id}/fail_next", payments=2)
    sandbox.advance(days=31, seconds=3600)
    invoice = sandbox.api.invoices.list(params={"status": "open"}).data[0]
    with pytest.raises(stripe.CardError):
        sandbox.api.invoices.pay(str(invoice.id))
    assert sandbox.status(subscription.id) == "past_due"
    paid = sandbox.api.invoices.pay(str(invoice.id))
    assert paid.status == "paid"
    assert sandbox.status(subscription.id) == "active"


def test_trial(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> None:
    sandbox.new_events()
    made = sandbox.subscribe(customer.id, price.id, trial_period_days=14)
    assert made.status == "trialing"
    assert sandbox.new_types()[-1] == "customer.subscription.created"
    sandbox.advance(days=11)
    assert sandbox.new_types() == ["customer.subscription.trial_will_end"]
    sandbox.advance(days=3)
    assert sandbox.new_types() == [UPDATED, "invoice.created"]
    assert sandbox.status(made.id) == "active"
    sandbox.advance(seconds=3600)
    assert sandbox.new_types(without=SIDE) == ["invoice.finalized", *PAID]


@pytest.mark.parametrize(
    ("choice", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_trial_without_payment_method(sandbox: Driver, price: stripe.Price, choice: str, status: str) -> None:
    customer = sandbox.customer(None)
    made = sandbox.subscribe(
        customer.id, price.id, trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": choice}},
    )  # fmt: skip
    sandbox.advance(days=7, seconds=3600)
    assert sandbox.status(made.id) == status


def test_resume_after_a_paused_trial(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer(None)
    made = sandbox.subscribe(
        customer.id, price.id, trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )  # fmt: skip
    sandbox.advance(days=10)
    assert "customer.subscription.paused" in sandbox.new_types()
    method = sandbox.api.payment_methods.attach("pm_card_visa", params={"customer": customer.id})
    sandbox.api.customers.update(
        customer.id, params={"invoice_settings": {"default_payment_method": method.id}}
    )
    resumed = sandbox.api.subscriptions.resume(made.id)
    assert resumed.status == "active"
    assert sandbox.new_types()[-1] == "customer.subscription.resumed"


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_paused_collection(
    sandbox: Driver, subscription: stripe.Subscription, behavior: str, status: str
) -> None:
    sandbox.api.subscriptions.update(
        subscription.id,
        params={"pause_collection": {"behavior": behavior, "resumes_at": sandbox.now() + 40 * DAY}},
    )
    sandbox.advance(days=33)
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert invoice.status == status
    sandbox.advance(days=10)
    after = sandbox.api.subscriptions.retrieve(subscription.id)
    assert (after.pause_collection, after.status) == (None, "active")


def test_voiding_the_open_invoice(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.control(f"customers/{customer.id}/fail_next", payments=1)
    sandbox.advance(days=31, seconds=3600)
    invoice = sandbox.api.invoices.list(params={"status": "open"}).data[0]
    assert sandbox.api.invoices.void_invoice(str(invoice.id)).status == "void"
    assert sandbox.status(subscription.id) == "active"
