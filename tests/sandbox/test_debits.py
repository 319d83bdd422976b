"""Debits from a bank account: under way for days, then they succeed or fail."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.driver import Driver
from tests.sandbox.lives import PAID, SIDE, UPDATED

SUCCEEDS, NO_FUNDS = "000123456789", "000222222227"


def checkout(sandbox: Driver, number: str, **extra: Any) -> stripe.checkout.Session:
    """A session paid from this account."""
    params: Any = {
        "mode": "subscription", "line_items": [{"price": sandbox.price(1200).id, "quantity": 1}],
        "success_url": "http://localhost/done", **extra,
    }  # fmt: skip
    session = sandbox.api.checkout.sessions.create(params=params)
    sandbox.new_events()
    paid = sandbox.control(f"checkout/{session.id}/pay", card=number)
    assert (paid["outcome"], paid["success_url"]) == ("processing", "http://localhost/done")
    return sandbox.api.checkout.sessions.retrieve(
        session.id, params={"expand": ["subscription", "invoice", "invoice.payments.data.payment"]}
    )


def state(sandbox: Driver, session: stripe.checkout.Session) -> tuple[str, str, str | None, str]:
    fresh = sandbox.api.checkout.sessions.retrieve(session.id, params={"expand": ["subscription", "invoice"]})
    assert isinstance(fresh.subscription, stripe.Subscription)
    assert isinstance(fresh.invoice, stripe.Invoice)
    return str(fresh.status), fresh.payment_status, fresh.invoice.status, fresh.subscription.status


def test_a_checkout_that_is_paid_days_later(sandbox: Driver) -> None:
    session = checkout(sandbox, SUCCEEDS)
    assert sandbox.new_types(without=("customer.created", "payment_method.")) == [
        "invoice.created", "invoice.finalized", "charge.pending", "payment_intent.processing",
        "customer.subscription.created", "checkout.session.completed",
    ]  # fmt: skip
    assert state(sandbox, session) == ("complete", "unpaid", "open", "active")
    sandbox.advance(days=3)
    assert sandbox.new_types() == []
    sandbox.advance(days=1)
    assert sandbox.new_types(without=SIDE) == [*PAID, "checkout.session.async_payment_succeeded"]
    assert state(sandbox, session) == ("complete", "paid", "paid", "active")
    charge = sandbox.api.charges.list().data[0]
    assert charge.payment_method_details is not None
    assert (charge.status, charge.payment_method_details.type) == ("succeeded", "us_bank_account")
    assert sandbox.api.refunds.create(params={"charge": charge.id}).status == "succeeded"


def test_an_accounts_number_is_typed_where_a_cards_is_asked_for(sandbox: Driver) -> None:
    params: Any = {
        "mode": "subscription", "line_items": [{"price": sandbox.price(1200).id, "quantity": 1}],
        "success_url": "http://localhost/done",
    }  # fmt: skip
    session = sandbox.api.checkout.sessions.create(params=params)
    form = {
        "email": "a@example.com",
        "number": SUCCEEDS,
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "A Person",
    }
    answer = sandbox.http.post(str(session.url), data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "http://localhost/done")
    assert state(sandbox, session) == ("complete", "unpaid", "open", "active")


def test_a_checkout_whose_payment_fails_days_later(sandbox: Driver) -> None:
    session = checkout(sandbox, NO_FUNDS)
    sandbox.new_events()
    sandbox.advance(days=4)
    assert sandbox.new_types(without=SIDE) == [
        "invoice.payment_failed", UPDATED, "checkout.session.async_payment_failed",
    ]  # fmt: skip
    assert state(sandbox, session) == ("complete", "unpaid", "open", "past_due")
    invoice = sandbox.api.invoices.list().data[0]
    method = sandbox.api.payment_methods.attach(
        "pm_card_visa", params={"customer": str(session.customer or invoice.customer)}
    )
    sandbox.api.invoices.pay(str(invoice.id), params={"payment_method": method.id})
    assert state(sandbox, session)[2:] == ("paid", "active")


@pytest.mark.parametrize("fails", [False, True])
def test_a_renewal_by_debit(sandbox: Driver, *, fails: bool) -> None:
    session = checkout(sandbox, SUCCEEDS)
    sandbox.advance(days=20)
    assert isinstance(session.subscription, stripe.Subscription)
    customer = str(session.subscription.customer)
    if fails:
        sandbox.control(f"customers/{customer}/fail_next", reason="insufficient_funds")
    sandbox.advance(days=11, seconds=3600)
    assert sandbox.status(session.subscription.id) == "active"
    sandbox.new_events()
    sandbox.advance(days=4)
    if not fails:
        assert sandbox.new_types(without=SIDE) == PAID
        return
    assert sandbox.new_types(without=SIDE) == ["invoice.payment_failed", UPDATED]
    assert sandbox.status(session.subscription.id) == "past_due"
    sandbox.advance(days=3)
    assert sandbox.new_types() == ["charge.pending", "payment_intent.processing"]
    sandbox.advance(days=4)
    assert sandbox.new_types(without=SIDE) == [*PAID, UPDATED]
    assert sandbox.status(session.subscription.id) == "active"


def test_what_waits_for_a_debit(sandbox: Driver) -> None:
    checkout(sandbox, SUCCEEDS)
    invoice = str(sandbox.api.invoices.list().data[0].id)
    with pytest.raises(stripe.InvalidRequestError, match="still processing"):
        sandbox.api.invoices.pay(invoice)
    with pytest.raises(stripe.InvalidRequestError, match="still processing"):
        sandbox.api.invoices.void_invoice(invoice)
    charge = sandbox.api.charges.list().data[0]
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.refunds.create(params={"charge": charge.id})


def test_a_checkout_for_cards_only(sandbox: Driver) -> None:
    for extra in (
        {"payment_method_types": ["card"]},
        {"line_items": [{"price": sandbox.price(1200, currency="jpy").id, "quantity": 1}]},
    ):
        params: Any = {
            "mode": "subscription", "line_items": [{"price": sandbox.price().id, "quantity": 1}],
            "success_url": "http://localhost/done", **extra,
        }  # fmt: skip
        session = sandbox.api.checkout.sessions.create(params=params)
        assert session.payment_method_types == ["card"]
        refused = sandbox.http.post(f"/_sandbox/checkout/{session.id}/pay", json={"card": SUCCEEDS})
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "incorrect_number")


def test_accounts_by_the_api(sandbox: Driver) -> None:
    customer, price = sandbox.customer(None), sandbox.price()
    account: Any = {
        "account_holder_type": "individual",
        "account_number": SUCCEEDS,
        "routing_number": "110000000",
    }
    made = sandbox.api.payment_methods.create(params={"type": "us_bank_account", "us_bank_account": account})
    assert made.us_bank_account is not None
    assert made.us_bank_account.last4 == "6789"
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.payment_methods.create(params={"type": "us_bank_account"})
    a_card: Any = {**account, "account_number": "4242424242424242"}
    with pytest.raises(stripe.CardError):
        sandbox.api.payment_methods.create(params={"type": "us_bank_account", "us_bank_account": a_card})
    sandbox.api.payment_methods.attach(made.id, params={"customer": customer.id})
    listed = sandbox.api.payment_methods.list(
        params={"customer": customer.id, "type": "us_bank_account"}
    ).data
    assert [one.id for one in listed] == [made.id]
    subscription = sandbox.subscribe(customer.id, price.id, default_payment_method=made.id)
    assert subscription.status == "active"
    portal = sandbox.api.billing_portal.sessions.create(params={"customer": customer.id})
    assert sandbox.http.get(portal.url).status_code == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("accountClosed", "account_closed"),
        ("noAccount", "no_account"),
        ("insufficientFunds", "card_declined"),
        ("debitNotAuthorized", "debit_not_authorized"),
    ],
)
def test_accounts_that_fail(sandbox: Driver, name: str, code: str) -> None:
    intent = sandbox.api.payment_intents.create(
        params={
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "payment_method": f"pm_usBankAccount_{name}",
        }
    )
    assert intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.payment_intents.cancel(intent.id)
    sandbox.advance(days=4)
    failed = sandbox.api.payment_intents.retrieve(intent.id)
    assert failed.last_payment_error is not None
    assert (failed.status, failed.last_payment_error.code) == ("requires_payment_method", code)
