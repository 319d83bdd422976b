"""Arithmetic and parsing, without a process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_videoq_billing.sandbox.billing.lines import money
from django_videoq_billing.sandbox.billing.periods import boundary_after, shifted
from django_videoq_billing.sandbox.cards import CARDS, by_number
from django_videoq_billing.sandbox.deliveries import signature
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.ids import Ids
from django_videoq_billing.sandbox.pages.pdf import document
from django_videoq_billing.sandbox.params import METADATA, TEXT, Hash, Many, Text, Whole, decode, parse


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_months_keep_the_anchor_day() -> None:
    anchor = at("2026-01-31T10:00")
    assert [shifted(anchor, "month", count) for count in (1, 2, 3)] == [
        at("2026-02-28T10:00"),
        at("2026-03-31T10:00"),
        at("2026-04-30T10:00"),
    ]
    assert shifted(at("2024-02-29"), "year", 1) == at("2025-02-28")
    assert shifted(at("2026-01-01"), "week", 2) == at("2026-01-15")


@given(
    st.integers(0, 2**31),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 6),
    st.integers(0, 10**8),
)
def test_boundaries_follow_each_other(anchor: int, interval: str, count: int, later: int) -> None:
    boundary = boundary_after(anchor, interval, count, anchor + later)
    assert boundary > anchor + later
    assert boundary_after(anchor, interval, count, boundary) > boundary


def test_bracket_syntax() -> None:
    pairs = [
        ("items[0][price]", "a"),
        ("items[1][price]", "b"),
        ("expand[]", "x"),
        ("expand[]", "y"),
        ("metadata[k]", ""),
    ]
    fields = {"items": Many(Hash({"price": TEXT})), "expand": Many(TEXT), "metadata": METADATA}
    assert parse(fields, decode(pairs)) == {
        "items": [{"price": "a"}, {"price": "b"}],
        "expand": ["x", "y"],
        "metadata": {"k": ""},
    }


@pytest.mark.parametrize(
    ("pairs", "param"),
    [
        ([("items[0][prize]", "a")], "items[0][prize]"),
        ([("items", "a")], "items"),
        ([("count", "x")], "count"),
        ([("count", "11")], "count"),
        ([("name", "x" * 11)], "name"),
        ([("metadata[" + "k" * 41 + "]", "x")], "metadata"),
    ],
)
def test_refusals_name_the_parameter(pairs: list[tuple[str, str]], param: str) -> None:
    fields = {
        "items": Many(Hash({"price": TEXT})),
        "count": Whole(least=1, most=10),
        "name": Text(longest=10),
        "metadata": METADATA,
    }
    with pytest.raises(StripeError) as caught:
        parse(fields, decode(pairs))
    assert caught.value.param == param


def test_money() -> None:
    assert [money(1200, "usd"), money(1480, "jpy"), money(-5, "eur"), money(100, "chf")] == [
        "$12.00",
        "¥1,480",
        "-€0.05",
        "1.00 CHF",
    ]


def test_cards() -> None:
    assert all(by_number(card.number) == card for card in CARDS)
    assert by_number("4111 1111 1111 1111") is not None
    assert by_number("4111 1111 1111 1112") is None


def test_ids_repeat() -> None:
    assert Ids("a").new("cus") == Ids("a").new("cus")
    assert Ids("a").new("cus") != Ids("b").new("cus")
    assert len(Ids("a").new("cs_test")) == len("cs_test_") + 58


def test_signature_is_stripes() -> None:
    assert signature(b"{}", ["a", "b"], 1).split(",")[0] == "t=1"
    assert signature(b"{}", ["a", "b"], 1).count("v1=") == 2


def test_pdf_points_at_its_objects() -> None:
    made = document([("Invoice (1)", "$1", 12), ("日本", "", 10)])
    start = int(made.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert made[start : start + 4] == b"xref"
    assert rb"Invoice \(1\)" in made
