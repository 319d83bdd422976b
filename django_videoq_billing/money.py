"""Money is an integer in the currency's minor unit; this is the one place that turns it into text."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# The minor unit is Stripe's: https://docs.stripe.com/currencies#zero-decimal. CLDR's decimals are what people
# write, which is not the same: ALL, ISK and UGX have 0 there and 2 at Stripe. They change with CLDR, Stripe's do not.
_DECIMALS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"], 0),
    **dict.fromkeys(["PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def minor_unit_decimals(currency: str) -> int:
    """Return how many decimals the minor unit stands for: 2 for USD, 0 for JPY, 3 for KWD."""
    return _DECIMALS.get(currency, 2)


def display_money(amount: int, currency: str, language: str) -> str:
    """Return `amount` as people of `language` (a Django language code) write it: "$12.00", "￥1,480"."""
    value = Decimal(amount).scaleb(-minor_unit_decimals(currency))
    # As many decimals as people write, unless that would hide a part of the amount.
    usual = value == round(value, get_currency_precision(currency))
    return format_currency(value, currency, locale=babel_locale(language), currency_digits=usual)


def babel_locale(language: str) -> Locale:
    """Return the locale of a Django language code, or of English."""
    for code in (language, language.partition("-")[0]):
        try:
            return Locale.parse(code, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
