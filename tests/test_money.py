from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_videoq_billing.money import display_money, minor_unit_decimals


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (1200, "USD", "en", "$12.00"),
        (0, "USD", "en", "$0.00"),
        (-1200, "USD", "en", "-$12.00"),
        (123456789, "USD", "en", "$1,234,567.89"),
        (1480, "JPY", "en", "¥1,480"),
        (1480, "JPY", "ja", "￥1,480"),
        (1200, "EUR", "de", "12,00€"),
        (5120, "KWD", "en", "KWD5.120"),
        # Whole at CLDR, two decimals at Stripe: shown as people write it, and never rounded.
        (500, "ISK", "en", "ISK5"),
        (500, "UGX", "en", "UGX5"),
        (120_000, "ISK", "en", "ISK1,200"),
        (120_050, "ISK", "en", "ISK1,200.50"),
    ],
)
def test_shown_as_people_write_it(amount: int, currency: str, language: str, text: str) -> None:
    assert display_money(amount, currency, language).replace("\xa0", "") == text


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("USD", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("MGA", 0),
        ("UGX", 2),
        ("ISK", 2),
        ("RSD", 2),
        ("ALL", 2),
        ("KWD", 3),
    ],
)
def test_the_minor_unit_is_stripes(currency: str, decimals: int) -> None:
    assert minor_unit_decimals(currency) == decimals


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de-ch", "$12.00"),
        ("de-nowhere", "12,00$"),  # an unknown region falls back to its language
        ("zh-hans", "US$12.00"),
        ("tlh", "$12.00"),  # an unknown language falls back to English
        ("", "$12.00"),
    ],
)
def test_every_language_code_has_an_answer(language: str, text: str) -> None:
    assert display_money(1200, "USD", language).replace("\xa0", "") == text


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "JPY", "KWD", "ISK", "RSD"]))
def test_no_digit_of_an_amount_is_lost(amount: int, currency: str) -> None:
    digits = "".join(char for char in display_money(amount, currency, "en") if char.isdigit())
    short = 10 ** minor_unit_decimals(currency)
    assert int(digits) in (abs(amount), abs(amount) // short if amount % short == 0 else abs(amount))
