"""Stripe's test cards and bank accounts: what each does when it is saved and when it is charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "This transaction requires authentication.",
    "account_closed": "The customer's bank account has been closed.",
    "no_account": "The bank account could not be found.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
}
ACCOUNT_CODES = frozenset({"account_closed", "no_account", "debit_not_authorized"})
OWN_CODES = ACCOUNT_CODES | {"expired_card", "incorrect_cvc", "processing_error", "authentication_required"}


@dataclass(frozen=True)
class Decline:
    """A refusal by the card's bank. `code` is Stripe's, `reason` the decline_code."""

    reason: str

    @property
    def code(self) -> str:
        return self.reason if self.reason in OWN_CODES else "card_declined"

    @property
    def decline_code(self) -> str | None:
        own = ACCOUNT_CODES | {"expired_card", "incorrect_cvc", "processing_error"}
        return None if self.reason in own else self.reason

    @property
    def message(self) -> str:
        return MESSAGES.get(self.reason, "Your card was declined.")


@dataclass(frozen=True)
class TestCard:
    number: str
    name: str
    """Names the test objects too: pm_card_<name>, tok_<name>."""
    label: str
    decline: str | None = None
    declined_on_attach: bool = True
    authentication: Literal["never", "until_set_up", "always"] = "never"
    disputed: str | None = None
    funding: str = "credit"
    brand: str = "visa"
    kind: Literal["card", "us_bank_account"] = "card"
    settles_after_days: int = 0
    """A debit from a bank account is under way that long before it is known to succeed or fail."""

    __test__ = False  # pytest must not take it for a test class


CARDS = (
    TestCard("4242424242424242", "visa", "Visa: succeeds"),
    TestCard("4000056655665556", "visa_debit", "Visa debit: succeeds", funding="debit"),
    TestCard("5555555555554444", "mastercard", "Mastercard: succeeds", brand="mastercard"),
    TestCard("378282246310005", "amex", "American Express: succeeds", brand="amex"),
    TestCard("3566002020360505", "jcb", "JCB: succeeds", brand="jcb"),
    TestCard("4000000000000002", "chargeDeclined", "Declined", decline="generic_decline"),
    TestCard(
        "4000000000009995", "chargeDeclinedInsufficientFunds", "Insufficient funds", decline="insufficient_funds"
    ),
    TestCard("4000000000009987", "chargeDeclinedLostCard", "Lost card", decline="lost_card"),
    TestCard("4000000000009979", "chargeDeclinedStolenCard", "Stolen card", decline="stolen_card"),
    TestCard("4000000000000069", "chargeDeclinedExpiredCard", "Expired card", decline="expired_card"),
    TestCard("4000000000000127", "chargeDeclinedIncorrectCvc", "Wrong CVC", decline="incorrect_cvc"),
    TestCard("4000000000000119", "chargeDeclinedProcessingError", "Processing error", decline="processing_error"),
    TestCard(
        "4000000000000341", "chargeCustomerFail", "Saves, then every payment fails",
        decline="generic_decline", declined_on_attach=False,
    ),
    TestCard("4000002500003155", "authenticationRequiredOnSetup", "3-D Secure once", authentication="until_set_up"),
    TestCard("4000002760003184", "authenticationRequired", "3-D Secure each time", authentication="always"),
    TestCard(
        "4000008260003178", "authenticationRequiredChargeDeclinedInsufficientFunds",
        "3-D Secure, then insufficient funds",
        decline="insufficient_funds", declined_on_attach=False, authentication="always",
    ),
    TestCard("4000000000000259", "createDispute", "Succeeds, then is disputed", disputed="fraudulent"),
)  # fmt: skip


def _account(number: str, name: str, label: str, decline: str | None = None) -> TestCard:
    return TestCard(
        number, f"usBankAccount_{name}", label,
        decline=decline, declined_on_attach=False, kind="us_bank_account", settles_after_days=4,
    )  # fmt: skip


ACCOUNTS = (
    _account("000123456789", "success", "Bank account: succeeds after days"),
    _account("000111111113", "accountClosed", "Bank account: closed", "account_closed"),
    _account("000111111116", "noAccount", "Bank account: not found", "no_account"),
    _account("000222222227", "insufficientFunds", "Bank account: insufficient funds", "insufficient_funds"),
    _account("000333333335", "debitNotAuthorized", "Bank account: not authorized", "debit_not_authorized"),
)
"""They need no page of their own: where a card's number is asked for, an account's number will do."""

BY_NUMBER = {card.number: card for card in (*CARDS, *ACCOUNTS)}
BY_NAME = {card.name: card for card in (*CARDS, *ACCOUNTS)}


def by_number(number: str) -> TestCard | None:
    """Other numbers that pass the checksum are ordinary Visa cards; None where it is no card number."""
    digits = "".join(number.split()).replace("-", "")
    if digits in BY_NUMBER:
        return BY_NUMBER[digits]
    if not digits.isdecimal() or not 13 <= len(digits) <= 19 or not _passes_checksum(digits):
        return None
    return TestCard(digits, "visa", "Some card")


def _passes_checksum(digits: str) -> bool:
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
