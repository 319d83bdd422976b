"""Changes of price, interval and quantity, at once or later."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver
from tests.sandbox.lives import PAID, SIDE, UPDATED


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


APPLIED, EXPIRED = (f"customer.subscription.pending_update_{end}" for end in ("applied", "expired"))


def hold_change(
    sandbox: Driver, subscription: stripe.Subscription, price: stripe.Price
) -> tuple[stripe.Subscription, stripe.Invoice]:
    """An upgrade whose payment needs 3-D Secure and that waits for it."""
    customer = str(subscription.customer)
    method = sandbox.api.payment_methods.attach(
        "pm_card_authenticationRequired", params={"customer": customer}
    )
    sandbox.api.customers.update(customer, params={"invoice_settings": {"default_payment_method": method.id}})
    sandbox.new_events()
    held = sandbox.change(
        subscription.id,
        price.id,
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    return held, sandbox.api.invoices.list(params={"status": "open"}).data[0]


def card(sandbox: Driver, subscription: stripe.Subscription) -> str:
    return sandbox.api.payment_methods.attach(
        "pm_card_visa", params={"customer": str(subscription.customer)}
    ).id


def test_a_change_may_wait_for_its_payment(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    held, invoice = hold_change(sandbox, subscription, premium)
    assert held.status == "active"
    assert held.pending_update is not None
    assert held.pending_update.subscription_items is not None
    assert held.pending_update.subscription_items[0].price.id == premium.id
    assert sandbox.item(subscription.id).price.id != premium.id
    assert "invoice.payment_action_required" in sandbox.new_types()
    sandbox.api.invoices.pay(str(invoice.id), params={"payment_method": card(sandbox, subscription)})
    assert sandbox.new_types(without=(*SIDE, "payment_method.")) == [*PAID, APPLIED, UPDATED]
    assert sandbox.item(subscription.id).price.id == premium.id


def test_a_change_that_waited_too_long(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    _, invoice = hold_change(sandbox, subscription, premium)
    sandbox.new_events()
    sandbox.advance(seconds=23 * 3600)
    assert sandbox.new_types(without=SIDE) == ["invoice.voided", UPDATED, EXPIRED]
    assert sandbox.api.invoices.retrieve(str(invoice.id)).status == "void"
    after = sandbox.api.subscriptions.retrieve(subscription.id)
    assert (after.pending_update, after.status) == (None, "active")


def test_a_change_waits_no_longer_than_the_period_lasts(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    end = sandbox.item(subscription.id).current_period_end
    sandbox.advance(seconds=end - sandbox.now() - 3600)
    held, invoice = hold_change(sandbox, subscription, premium)
    assert held.pending_update is not None
    assert held.pending_update.expires_at == end
    sandbox.new_events()
    sandbox.advance(seconds=3600)
    types = sandbox.new_types(without=SIDE)
    assert types.index(EXPIRED) < types.index("invoice.created"), "it does not renew at the new price"
    assert sandbox.api.invoices.retrieve(str(invoice.id)).status == "void"


def test_voiding_the_invoice_drops_the_change(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    _, invoice = hold_change(sandbox, subscription, premium)
    sandbox.new_events()
    sandbox.api.invoices.void_invoice(str(invoice.id))
    assert sandbox.new_types(without=SIDE) == ["invoice.voided", UPDATED, EXPIRED]
    assert sandbox.api.subscriptions.retrieve(subscription.id).pending_update is None


def test_a_change_that_can_be_paid_does_not_wait(
    sandbox: Driver, subscription: stripe.Subscription, premium: stripe.Price
) -> None:
    made = sandbox.change(
        subscription.id,
        premium.id,
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    assert made.pending_update is None
    assert sandbox.item(subscription.id).price.id == premium.id
    with pytest.raises(stripe.InvalidRequestError, match="only these parameters"):
        sandbox.change(
            subscription.id, premium.id, payment_behavior="pending_if_incomplete", metadata={"a": "1"}
        )


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
