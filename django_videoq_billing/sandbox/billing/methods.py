"""Payment methods: made from cards and test tokens, attached to customers and detached again."""

from __future__ import annotations

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.cards import BY_NAME, Decline, TestCard, by_number
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import people
from django_videoq_billing.sandbox.store import Record

TEST_METHOD = "pm_card_"
TEST_ACCOUNT = "pm_usBankAccount_"
TEST_TOKEN = "tok_"  # noqa: S105 - a prefix


def by_token(key: str) -> TestCard | None:
    """The card behind `pm_card_visa` or `tok_visa`; `pm_card_visa_chargeDeclined` is another name of a few."""
    if key.startswith(TEST_ACCOUNT):
        return BY_NAME.get(key.removeprefix("pm_"))
    for prefix in (TEST_METHOD, TEST_TOKEN):
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            return BY_NAME.get(name) or BY_NAME.get(name.removeprefix("visa_"))
    return None


def card_for(number: str, kind: str | None = None) -> TestCard:
    """The card, or the bank account, with this number; `kind` says which of both it must be."""
    card = by_number(number)
    if card is None or card.kind != (kind or card.kind):
        raise StripeError.card(
            "Your card number is incorrect.", code="incorrect_number", decline_code=None, param="number"
        )
    return card


def usable(box: Sandbox, key: str, param: str, customer: Record | None = None) -> Record:
    """A payment method by id; a test object such as pm_card_visa is made anew each time, as Stripe does."""
    found = box.store.get("payment_method", key)
    if found is None:
        card = by_token(key)
        if card is None:
            raise StripeError.missing("PaymentMethod", key, param, status=400)
        found = box.store.save(made(box, card))
        if customer is not None:
            attach(box, found, customer)
    if customer is not None and found["customer"] != customer["id"]:
        raise StripeError(
            "The customer does not have a payment method with the ID "
            f"{key}. The payment method must be attached to the customer.",
            code="resource_missing",
            param=param,
        )
    return found


def made(box: Sandbox, card: TestCard, month: int = 12, year: int = 2034) -> Record:
    return people.payment_method(box, card, exp_month=month, exp_year=year)


def attach(box: Sandbox, method: Record, customer: Record) -> None:
    """Save a card with a customer. Stripe asks the bank first, so that some test cards are refused here."""
    if method["customer"] == customer["id"]:
        return
    if method["customer"] is not None or method.get("_detached"):
        raise StripeError(
            "The payment method you provided has already been attached to a customer."
            if method["customer"]
            else "This PaymentMethod was previously used with a customer and may not be used again.",
            code="payment_method_unexpected_state" if method["customer"] else None,
        )
    card = by_number(method["_number"])
    if card is not None and card.decline and card.declined_on_attach:
        decline = Decline(card.decline)
        raise StripeError.card(decline.message, code=decline.code, decline_code=decline.decline_code)
    method["customer"] = customer["id"]
    box.store.save(method)
    box.emit("payment_method.attached", method)


def detach(box: Sandbox, method: Record) -> None:
    if method["customer"] is None:
        raise StripeError(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    customer = box.store.get("customer", method["customer"])
    method |= {"customer": None, "_detached": True}
    box.store.save(method)
    box.emit("payment_method.detached", method, {"customer": customer and customer["id"]})
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        with box.changing(customer, "customer.updated"):
            customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
    for subscription in box.store.where("subscription", default_payment_method=method["id"]):
        subscription["default_payment_method"] = None
        box.store.save(subscription)


def make_default(box: Sandbox, customer: Record, method: Record) -> None:
    with box.changing(customer, "customer.updated"):
        customer["invoice_settings"] = {
            **customer["invoice_settings"],
            "default_payment_method": method["id"],
        }
