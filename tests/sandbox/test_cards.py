"""Every test card does what Stripe documents, under the name that Stripe gives it."""

from __future__ import annotations

import pytest
import stripe

from django_videoq_billing.sandbox.cards import CARDS
from tests.sandbox.driver import DAY, Driver

NUMBERS = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "jcb": "3566002020360505",
    "visa_chargeDeclined": "4000000000000002",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedLostCard": "4000000000009987",
    "visa_chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "createDispute": "4000000000000259",
}


def test_every_card_is_named_here() -> None:
    assert {card.number for card in CARDS} == set(NUMBERS.values())


@pytest.mark.parametrize("name", NUMBERS)
def test_the_name_is_stripes(sandbox: Driver, name: str) -> None:
    customer = sandbox.customer(None)
    intent = sandbox.api.setup_intents.create(
        params={"customer": customer.id, "payment_method": f"pm_card_{name}"}
    )
    method = sandbox.api.payment_methods.retrieve(str(intent.payment_method))
    assert method.card is not None
    assert method.card.last4 == NUMBERS[name][-4:]


@pytest.mark.parametrize("name", [name for name in NUMBERS if "Declined" in name and "auth" not in name])
def test_declined_when_it_is_saved(sandbox: Driver, name: str) -> None:
    customer = sandbox.customer(None)
    with pytest.raises(stripe.CardError):
        sandbox.api.payment_methods.attach(f"pm_card_{name}", params={"customer": customer.id})
    with pytest.raises(stripe.CardError):
        sandbox.api.payment_intents.create(
            params={"amount": 500, "currency": "usd", "confirm": True, "payment_method": f"pm_card_{name}"}
        )


@pytest.mark.parametrize(
    ("name", "status"),
    [("authenticationRequiredOnSetup", "active"), ("authenticationRequired", "past_due")],
)
def test_authentication_once_or_each_time(sandbox: Driver, name: str, status: str) -> None:
    """The first payment asks in both cases; the renewal asks again only where the bank always does."""
    made = sandbox.subscribe(sandbox.customer(f"pm_card_{name}").id, sandbox.price().id)
    assert made.status == "incomplete"
    intent = sandbox.api.payment_intents.list().data[0]
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    sandbox.http.post(str(intent.next_action.redirect_to_url.url), data={"answer": "complete"})
    assert sandbox.status(made.id) == "active"
    sandbox.advance(seconds=31 * DAY + 3600)
    assert sandbox.status(made.id) == status
