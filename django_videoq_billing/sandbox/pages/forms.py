"""The card form that checkout, portal and invoice share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.datastructures import FormData

from django_videoq_billing.sandbox.billing.checkout import Payer
from django_videoq_billing.sandbox.cards import by_number
from django_videoq_billing.sandbox.errors import StripeError

EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*(?:20)?(\d{2})\s*$")
ORDER = ("promotion_code", "email", "number", "expiry", "cvc", "name")
FIELDS_OF_REFUSALS = {
    "card_declined": "number",
    "incorrect_number": "number",
    "expired_card": "expiry",
    "incorrect_cvc": "cvc",
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+$")


@dataclass
class CardForm:
    """What was typed, and what is wrong with it by field name; `general` is for the bank's refusals."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: FormData) -> CardForm:
        return cls({name: value for name, value in data.items() if isinstance(value, str)})

    def payer(self, now: int, *, with_email: bool = True) -> Payer | None:
        """The card, or None and `errors` filled."""
        card = by_number(self.values.get("number", ""))
        if card is None:
            self.errors["number"] = "Your card number is invalid."
        month, year = self._expiry(now)
        if not re.fullmatch(r"\d{3,4}", self.values.get("cvc", "")):
            self.errors["cvc"] = "Your card's security code is incomplete."
        if with_email and not EMAIL.fullmatch(self.values.get("email", "")):
            self.errors["email"] = "Your email address is incomplete."
        if not self.values.get("name", "").strip():
            self.errors["name"] = "Enter the name on the card."
        if self.errors or card is None:
            return None
        return Payer(card, month, year, self.values.get("email", ""), self.values["name"].strip())

    def _expiry(self, now: int) -> tuple[int, int]:
        found = EXPIRY.match(self.values.get("expiry", ""))
        if found is None or not 1 <= int(found[1]) <= 12:
            self.errors["expiry"] = "Your card's expiration date is incomplete."
            return 0, 0
        month, year = int(found[1]), 2000 + int(found[2])
        today = datetime.fromtimestamp(now, UTC)
        if (year, month) < (today.year, today.month):
            self.errors["expiry"] = "Your card's expiration date is in the past."
        return month, year

    def refused(self, error: StripeError) -> None:
        self.errors[FIELDS_OF_REFUSALS.get(error.code or "", "general")] = error.message

    @property
    def first_wrong(self) -> str | None:
        """The field that is to have the focus, so that its error is read out; None without one."""
        return next((name for name in ORDER if name in self.errors), None)
