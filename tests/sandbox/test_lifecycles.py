"""Whole lives of subscriptions, each with the events that Stripe promises, in their order."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver

SIDE = ("payment_intent.", "charge.failed")
PAID = ["charge.succeeded", "invoice.payment_succeeded", "invoice.paid"]
FIRST = ["invoice.created", "invoice.finalized", *PAID, "customer.subscription.created"]
UPDATED, DELETED = "customer.subscription.updated", "customer.subscription.deleted"
RENEWED = [UPDATED, "invoice.created", "invoice.finalized", *PAID]


@pytest.fixture
def price(sandbox: Driver) -> stripe.Price:
    return sandbox.price(1200)


@pytest.fixture
def premium(sandbox: Driver) -> stripe.Price:
    return sandbox.price(2400)


@pytest.fixture
def customer(sandbox: Driver) -> stripe.Customer:
    return sandbox.customer()


@pytest.fixture
def subscription(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> stripe.Subscription:
    made = sandbox.subscribe(customer.id, price.id)
    sandbox.new_events()
    return made


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


def test_upgrade_at_once(sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price) -> None:
    sandbox.advance(seconds=31 * DAY // 2)
    sandbox.new_events()
    preview = sandbox.api.invoices.create_preview(
        params={
            "subscription": subscription.id,
            "subscription_details": {
                "items": [{"id": sandbox.item(subscription.id).id, "price": premium.id}],
                "proration_behavior": "always_invoice",
            },
        }
    )
    assert preview.amount_due == 600
    assert sandbox.new_events() == []
    sandbox.change(subscription.id, premium.id, proration_behavior="always_invoice")
    assert sandbox.new_types(without=SIDE) == [
        "invoiceitem.created", "invoiceitem.created", "invoice.created", "invoice.finalized", *PAID, UPDATED,
    ]  # fmt: skip
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.amount_paid, invoice.billing_reason) == (600, "subscription_update")
    assert [line.amount for line in invoice.lines.data] == [-600, 1200]
    details = [line.parent.subscription_item_details for line in invoice.lines.data if line.parent]
    assert [detail.proration for detail in details if detail] == [True, True]


def test_upgrade_billed_with_the_next_invoice(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    sandbox.advance(seconds=31 * DAY // 2)
    sandbox.new_events()
    sandbox.change(subscription.id, premium.id)
    assert sandbox.new_types() == ["invoiceitem.created", "invoiceitem.created", UPDATED]
    preview = sandbox.api.invoices.create_preview(params={"subscription": subscription.id})
    assert (preview.amount_due, preview.billing_reason) == (3000, "upcoming")
    sandbox.advance(days=17)
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.amount_paid, len(invoice.lines.data)) == (3000, 3)


def test_change_without_proration(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    sandbox.new_events()
    sandbox.change(subscription.id, premium.id, proration_behavior="none")
    assert sandbox.new_types() == [UPDATED]


def test_downgrade_at_once_leaves_credit(
    sandbox: Driver, customer: stripe.Customer, premium: stripe.Price
) -> None:
    made = sandbox.subscribe(customer.id, premium.id)
    cheap = sandbox.price(600)
    sandbox.new_events()
    sandbox.change(made.id, cheap.id, proration_behavior="always_invoice")
    assert "charge.succeeded" not in sandbox.new_types()
    assert sandbox.api.customers.retrieve(customer.id).balance == -1800
    sandbox.advance(days=31, seconds=3600)
    renewal = sandbox.api.invoices.list(params={"subscription": made.id}).data[0]
    assert (renewal.amount_due, renewal.status, renewal.starting_balance) == (0, "paid", -1800)
    assert sandbox.api.customers.retrieve(customer.id).balance == -1200


def test_month_to_year_starts_a_new_cycle(sandbox: Driver, subscription: stripe.Subscription) -> None:
    yearly = sandbox.price(12_000, "year")
    sandbox.advance(seconds=31 * DAY // 2)
    sandbox.change(subscription.id, yearly.id)
    item = sandbox.item(subscription.id)
    assert item.current_period_start == sandbox.now()
    assert item.current_period_end - item.current_period_start == 365 * DAY
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.status, invoice.amount_paid) == ("paid", 12_000 - 600)


@pytest.mark.parametrize(
    ("card", "event"),
    [
        ("pm_card_chargeCustomerFail", "invoice.payment_failed"),
        ("pm_card_authenticationRequired", "invoice.payment_action_required"),
    ],
)
def test_upgrade_that_fails_is_past_due(
    sandbox: Driver,
    customer: stripe.Customer,
    subscription: stripe.Subscription,
    premium: stripe.Price,
    card: str,
    event: str,
) -> None:
    method = sandbox.api.payment_methods.attach(card, params={"customer": customer.id})
    sandbox.api.customers.update(
        customer.id, params={"invoice_settings": {"default_payment_method": method.id}}
    )
    sandbox.advance(days=5)
    sandbox.new_events()
    with pytest.raises(stripe.CardError):
        sandbox.change(
            subscription.id,
            premium.id,
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert sandbox.new_events() == []
    sandbox.change(subscription.id, premium.id, proration_behavior="always_invoice")
    types = sandbox.new_types(without=SIDE)
    assert event in types
    assert types[-1] == UPDATED
    assert sandbox.status(subscription.id) == "past_due"


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
        params={"pause_collection": {"behavior": behavior, "resumes_at": sandbox.now() + 40 * DAY}},  # type: ignore[typeddict-item]
    )
    sandbox.advance(days=33)
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert invoice.status == status
    sandbox.advance(days=10)
    after = sandbox.api.subscriptions.retrieve(subscription.id)
    assert (after.pause_collection, after.status) == (None, "active")


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


def test_voiding_the_open_invoice(
    sandbox: Driver, customer: stripe.Customer, subscription: stripe.Subscription
) -> None:
    sandbox.control(f"customers/{customer.id}/fail_next", payments=1)
    sandbox.advance(days=31, seconds=3600)
    invoice = sandbox.api.invoices.list(params={"status": "open"}).data[0]
    assert sandbox.api.invoices.void_invoice(str(invoice.id)).status == "void"
    assert sandbox.status(subscription.id) == "active"


def test_subscription_items_can_be_changed_one_by_one(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    item = sandbox.item(subscription.id)
    changed = sandbox.api.subscription_items.update(item.id, params={"price": premium.id, "quantity": 2})
    assert (changed.id, changed.price.id, changed.quantity) == (item.id, premium.id, 2)
    extra = sandbox.api.subscription_items.create(
        params={"subscription": subscription.id, "price": sandbox.price(300).id}
    )
    assert len(sandbox.api.subscription_items.list(params={"subscription": subscription.id}).data) == 2
    assert sandbox.api.subscription_items.delete(extra.id).deleted


def test_coupon(sandbox: Driver, customer: stripe.Customer, price: stripe.Price) -> None:
    coupon = sandbox.api.coupons.create(params={"percent_off": 25, "duration": "once"})
    made = sandbox.subscribe(
        customer.id, price.id, discounts=[{"coupon": coupon.id}], expand=["latest_invoice"]
    )
    assert isinstance(made.latest_invoice, stripe.Invoice)
    assert (made.latest_invoice.subtotal, made.latest_invoice.amount_paid) == (1200, 900)
    sandbox.advance(days=31, seconds=3600)
    assert sandbox.api.invoices.list(params={"subscription": made.id}).data[0].amount_paid == 1200
