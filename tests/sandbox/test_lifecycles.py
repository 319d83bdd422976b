"""Whole lives of subscriptions, each with the events that Stripe promises, in their order."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver
from tests.sandbox.lives import DELETED, FIRST, PAID, SIDE, UPDATED


def test_first_subscription(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> None:
    sandbox.new_events()
    made = sandbox.subscribe(
        customer.id, price.id, metadata={"user": "7"}, expand=["latest_invoice.payments"]
    )
    assert sandbox.new_types(without=SIDE) == FIRST
    assert made.status == "active"
    item = made["items"].data[0]
    assert item.current_period_end - item.current_period_start == 31 * DAY
    invoice = made.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid",
        1200,
        "subscription_create",
    )
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.parent.subscription_details.metadata is not None
    assert invoice.parent.subscription_details.metadata.to_dict() == {"user": "7"}
    assert invoice.hosted_invoice_url is not None
    assert invoice.id not in invoice.hosted_invoice_url


def test_declined_card_leaves_it_incomplete(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")
    sandbox.new_events()
    made = sandbox.subscribe(customer.id, price.id)
    assert made.status == "incomplete"
    assert sandbox.new_types(without=SIDE) == [
        "invoice.created", "invoice.finalized", "invoice.payment_failed", "customer.subscription.created",
    ]  # fmt: skip
    sandbox.advance(seconds=23 * 3600)
    assert sandbox.new_types(without=SIDE) == [UPDATED, "invoice.voided"]
    assert sandbox.status(made.id) == "incomplete_expired"


def test_declined_card_with_error_if_incomplete_creates_nothing(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")
    sandbox.new_events()
    with pytest.raises(stripe.CardError) as caught:
        sandbox.subscribe(customer.id, price.id, payment_behavior="error_if_incomplete")
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert sandbox.new_events() == []


def test_no_payment_method_is_refused(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer(None)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.subscribe(customer.id, price.id)
    assert caught.value.code == "resource_missing"


def test_default_incomplete_waits_for_confirmation(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer(None)
    sandbox.new_events()
    made = sandbox.subscribe(
        customer.id, price.id, payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.payments", "latest_invoice.confirmation_secret"],
    )  # fmt: skip
    assert made.status == "incomplete"
    assert sandbox.new_types() == ["invoice.created", "invoice.finalized", "customer.subscription.created"]
    invoice = made.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.payments is not None
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, str)
    confirmed = sandbox.api.payment_intents.confirm(intent, params={"payment_method": "pm_card_visa"})
    assert confirmed.status == "succeeded"
    assert sandbox.new_types(without=SIDE) == ["payment_method.attached", *PAID, UPDATED]
    after = sandbox.api.subscriptions.retrieve(made.id)
    assert (after.status, after.default_payment_method) == ("active", confirmed.payment_method)


def test_first_payment_needs_3d_secure(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer("pm_card_authenticationRequired")
    sandbox.new_events()
    made = sandbox.subscribe(customer.id, price.id)
    assert made.status == "incomplete"
    assert sandbox.new_types(without=SIDE) == [
        "invoice.created", "invoice.finalized", "invoice.payment_action_required", "customer.subscription.created",
    ]  # fmt: skip
    intent = sandbox.api.payment_intents.list().data[0]
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.url is not None
    answer = sandbox.http.post(intent.next_action.redirect_to_url.url, data={"answer": "complete"})
    assert answer.status_code in {200, 303}
    assert sandbox.new_types(without=SIDE) == [*PAID, UPDATED]
    assert sandbox.status(made.id) == "active"


def test_failed_3d_secure_leaves_it_incomplete(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer("pm_card_authenticationRequired")
    made = sandbox.subscribe(customer.id, price.id)
    intent = sandbox.api.payment_intents.list().data[0]
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    sandbox.new_events()
    sandbox.http.post(str(intent.next_action.redirect_to_url.url), data={"answer": "fail"})
    assert sandbox.new_types() == ["payment_intent.payment_failed", "invoice.payment_failed"]
    assert sandbox.status(made.id) == "incomplete"


def test_cancel_at_period_end_and_undo(sandbox: Driver, subscription: stripe.Subscription) -> None:
    canceled = sandbox.api.subscriptions.update(subscription.id, params={"cancel_at_period_end": True})
    assert canceled.status == "active"
    assert canceled.cancel_at == subscription["items"].data[0].current_period_end
    assert canceled.canceled_at == sandbox.now()
    undone = sandbox.api.subscriptions.update(subscription.id, params={"cancel_at_period_end": False})
    assert (undone.cancel_at, undone.canceled_at) == (None, None)
    sandbox.api.subscriptions.update(subscription.id, params={"cancel_at_period_end": True})
    assert sandbox.new_types() == [UPDATED] * 3
    sandbox.advance(days=31)
    assert sandbox.new_types() == [DELETED]
    ended = sandbox.api.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", canceled.cancel_at)


def test_cancel_at_a_moment(sandbox: Driver, subscription: stripe.Subscription) -> None:
    sandbox.api.subscriptions.update(subscription.id, params={"cancel_at": sandbox.now() + 5 * DAY})
    sandbox.advance(days=6)
    assert sandbox.new_types() == [UPDATED, DELETED]


def test_cancel_now(sandbox: Driver, subscription: stripe.Subscription) -> None:
    canceled = sandbox.api.subscriptions.cancel(
        subscription.id, params={"cancellation_details": {"comment": "Enough", "feedback": "unused"}}
    )
    assert canceled.status == "canceled"
    assert sandbox.new_types() == [DELETED]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.subscriptions.cancel(subscription.id)
    assert caught.value.http_status == 404


def test_cancel_now_with_credit(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.advance(seconds=31 * DAY // 2)
    sandbox.new_events()
    sandbox.api.subscriptions.cancel(subscription.id, params={"prorate": True, "invoice_now": True})
    assert sandbox.new_types()[0] == "invoiceitem.created"
    assert sandbox.api.customers.retrieve(customer.id).balance == -600


def test_refunds(sandbox: Driver, subscription: stripe.Subscription) -> None:
    charge = sandbox.api.charges.list().data[0]
    part = sandbox.api.refunds.create(
        params={"charge": charge.id, "amount": 200, "reason": "requested_by_customer"}
    )
    assert (part.amount, part.status) == (200, "succeeded")
    assert sandbox.new_types() == ["refund.created", "charge.refunded", "refund.updated"]
    intent = charge.payment_intent
    assert isinstance(intent, str)
    sandbox.api.refunds.create(params={"payment_intent": intent})
    after = sandbox.api.charges.retrieve(
        charge.id, params={"expand": ["refunds", "balance_transaction", "customer"]}
    )
    assert (after.refunded, after.amount_refunded) == (True, 1200)
    assert after.refunds is not None
    assert [refund.amount for refund in after.refunds.data] == [1000, 200]
    found = sandbox.api.invoice_payments.list(
        params={"payment": {"type": "payment_intent", "payment_intent": intent}}
    )
    assert [one.invoice for one in found.data] == [subscription.latest_invoice]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.refunds.create(params={"charge": charge.id})
    assert caught.value.code == "charge_already_refunded"


@pytest.mark.parametrize("won", [True, False])
def test_dispute(sandbox: Driver, subscription: stripe.Subscription, *, won: bool) -> None:
    charge = sandbox.api.charges.list().data[0]
    dispute = sandbox.control("disputes", charge=charge.id)
    assert sandbox.new_types() == [
        "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn",
    ]  # fmt: skip
    assert sandbox.api.charges.retrieve(charge.id).disputed
    sandbox.api.disputes.update(dispute["id"], params={"evidence": {"customer_name": "Person"}})
    sandbox.control(f"disputes/{dispute['id']}/close", won=won)
    assert sandbox.api.disputes.retrieve(dispute["id"]).status == ("won" if won else "lost")
    assert "charge.dispute.closed" in sandbox.new_types()


def test_an_inquiry_moves_no_money(sandbox: Driver, subscription: stripe.Subscription) -> None:
    [charge] = sandbox.api.charges.list().data
    asked = sandbox.control("disputes", charge=charge.id, inquiry=True)
    sandbox.api.disputes.update(asked["id"], params={"evidence": {"customer_name": "Person"}, "submit": True})
    assert sandbox.api.disputes.retrieve(asked["id"]).status == "warning_under_review"
    sandbox.control(f"disputes/{asked['id']}/close", won=True)
    dispute = sandbox.api.disputes.retrieve(asked["id"])
    assert (dispute.status, dispute.balance_transactions) == ("warning_closed", [])
    assert "charge.dispute.funds_withdrawn" not in sandbox.new_types()


def test_a_refund_that_the_bank_sends_back(sandbox: Driver, subscription: stripe.Subscription) -> None:
    [charge] = sandbox.api.charges.list().data
    refund = sandbox.api.refunds.create(params={"charge": charge.id})
    sandbox.new_events()
    sandbox.control(f"refunds/{refund.id}/fail")
    assert sandbox.new_types() == ["refund.updated", "refund.failed"]
    failed = sandbox.api.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert sandbox.api.charges.retrieve(charge.id).amount_refunded == 0
    assert sandbox.api.refunds.create(params={"charge": charge.id}).status == "succeeded"


def test_the_card_that_is_disputed_by_itself(sandbox: Driver, price: stripe.Price) -> None:
    customer = sandbox.customer("pm_card_createDispute")
    assert sandbox.subscribe(customer.id, price.id).status == "active"
    assert "charge.dispute.created" in sandbox.new_types()


def test_deleting_a_customer_ends_everything(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.api.customers.delete(customer.id)
    assert sandbox.new_types() == [DELETED, "customer.deleted"]
    assert sandbox.api.customers.retrieve(customer.id).deleted
    assert sandbox.status(subscription.id) == "canceled"


def test_coupon(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> None:
    coupon = sandbox.api.coupons.create(params={"percent_off": 25, "duration": "once"})
    made = sandbox.subscribe(
        customer.id, price.id, discounts=[{"coupon": coupon.id}], expand=["latest_invoice"]
    )
    assert isinstance(made.latest_invoice, stripe.Invoice)
    assert (made.latest_invoice.subtotal, made.latest_invoice.amount_paid) == (1200, 900)
    sandbox.advance(days=31, seconds=3600)
    assert sandbox.api.invoices.list(params={"subscription": made.id}).data[0].amount_paid == 1200
