"""Money is an integer in the currency's minor unit; this is the one place that turns it into text."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# Stripe's minor unit differs from ISO 4217's for these: https://docs.stripe.com/currencies#special-cases
_STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}


def minor_unit_decimals(currency: str) -> int:
    """Return how many decimals the minor unit stands for: 2 for USD, 0 for JPY, 3 for KWD."""
    return _STRIPE_DECIMALS.get(currency, get_currency_precision(currency))


def display_money(amount: int, currency: str, language: str) -> str:
    """Return `amount` as people of `language` (a Django language code) write it: "$12.00", "￥1,480"."""
    return format_currency(
        Decimal(amount).scaleb(-minor_unit_decimals(currency)), currency, locale=_locale(language)
    )


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
