"""`PLANS` and `DEFAULT_PLAN`; the other settings are in test_conf.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy

from tests.test_conf import FREE, PAID, problem, read


def plan_problem(**options: Any) -> str:
    return problem(PLANS={"free": FREE, "paid": {**PAID, **options}})


@pytest.mark.parametrize("value", [{}, [], (), None, "free", {"free"}, 3, ["free"]])
def test_plans_must_be_there(value: Any) -> None:
    assert "must be a dict from slug to plan with at least one" in problem(PLANS=value)


@pytest.mark.parametrize("slug", ["", "fr ee", "free!", "f" * 51, "frée", "free\n", None, 3, ("free",)])
def test_a_slug_must_be_a_slug(slug: Any) -> None:
    assert "is no slug; use a text of up to 50 letters" in problem(PLANS={slug: FREE})


def test_a_list_of_plans_names_their_slugs() -> None:
    assert list(read(PLANS=[{"slug": "free", **FREE}, {"slug": "paid", **PAID}]).PLANS) == ["free", "paid"]
    assert "None is no slug" in problem(PLANS=[FREE])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, "['paid'] must be a dict of options, not None."),
        ("Paid", "must be a dict of options"),
        ({"video_limit": 1}, "['paid'] needs a 'name': a text of 1 to 100 characters."),
    ],
)
def test_a_plan_must_be_a_dict_with_a_name(options: Any, expected: str) -> None:
    assert expected in problem(PLANS={"free": FREE, "paid": options})


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("name", (None, "", "  ", "n" * 101, 3), "a text of 1 to 100 characters"),
        ("description", (None, 3, ["text"]), "a text"),
        ("price_cents", (-1, True, 12.0, "12", None, Decimal(12), 10**9), "1200 is 12.00 USD"),
        ("currency", ("usd", "US", "XXXX", "ZZZ", "$", None, ["USD"]), "an ISO 4217 code such as 'USD'"),
        ("interval", ("monthly", "week", None, 1, []), "'month' or 'year'"),
        ("video_limit", (-1, True, 3.0, "3", 10**10), "None for unlimited"),
        ("transcription_limit_minutes", (-1, False, 30.0, "30", 10**8), "minutes from 0 to"),
        ("features", ("one", [1], {"a": "b"}, None, {"one"}), "a list of texts"),
        ("sort_order", (1.0, "1", None, True, 10**7), "a whole number"),
        ("trial_days", (-1, 731, True, 7.0, None), "days from 0 to 730"),
        ("is_public", (0, "yes", None), "True or False"),
        (
            "feature_flags",
            (None, ["hd"], {1: "a"}, {"a": (1,)}, {"a": Decimal(1)}, {"a": float("nan")}, {"a": {1}}),
            "a dict of JSON values",
        ),
    ],
)
def test_invalid_values_of_a_plan(key: str, values: tuple[Any, ...], expected: str) -> None:
    for value in values:
        sentence = plan_problem(**{key: value})
        assert sentence.startswith(f"VIDEOQ_BILLING['PLANS']['paid'][{key!r}] must be "), value
        assert expected in sentence, value


def test_a_flag_that_contains_itself_is_no_json() -> None:
    flags: dict[str, Any] = {}
    flags["again"] = flags
    assert "a dict of JSON values" in plan_problem(feature_flags=flags)


@pytest.mark.parametrize(
    ("key", "hint"), [("prise_cents", "price_cents"), ("Name", "name"), ("video_limits", "video_limit")]
)
def test_an_unknown_key_of_a_plan(key: str, hint: str) -> None:
    where = "VIDEOQ_BILLING['PLANS']['paid']"
    assert plan_problem(**{key: 1}) == f"{where} has no key {key!r}. Did you mean {hint!r}?"


def test_a_plan_of_a_dict_cannot_have_a_second_slug() -> None:
    assert "has no key 'slug'" in plan_problem(slug="other")


def test_all_options_of_a_plan() -> None:
    options = {
        "name": "Studio",
        "description": "All of it.",
        "price_cents": 148000,
        "currency": "JPY",
        "interval": "year",
        "video_limit": 0,
        "transcription_limit_minutes": 10**7,
        "features": ["One", "Two"],
        "sort_order": -5,
        "trial_days": 14,
        "is_public": False,
        "feature_flags": {"hd": True, "formats": ["mp4", None, 1.5, {}]},
    }
    plan = read(PLANS={"free": FREE, "studio": options}).PLANS["studio"]
    assert plan.as_fields() == {"slug": "studio", **options}


def test_lazy_texts_are_stored_in_the_sites_language() -> None:
    with translation.override("de"):
        plan = read(
            PLANS={
                "free": {
                    "name": gettext_lazy("January"),
                    "description": lazystr("D"),
                    "features": [lazystr("F")],
                }
            }
        ).PLANS["free"]
        fields = plan.as_fields()
    assert (fields["name"], fields["description"], fields["features"]) == ("January", "D", ["F"])
    assert type(fields["name"]) is str


@pytest.mark.parametrize("slug", ["free", "FREE"])
def test_two_plans_with_one_slug_in_a_list(slug: str) -> None:
    plans = [{"slug": "free", **FREE}, {"slug": slug, "name": "Other", "video_limit": 1}]
    assert f"has two plans with the slug {slug!r}" in problem(PLANS=plans)


def test_two_plans_with_one_slug_but_for_letter_case() -> None:
    assert "letter case does not count" in problem(PLANS={"free": FREE, "Free": {"name": "Other"}})


@pytest.mark.parametrize("name", ["Free", "FREE", lazystr("Free")])
def test_two_plans_with_one_name(name: Any) -> None:
    sentence = problem(PLANS={"free": FREE, "other": {"name": name}})
    assert sentence == f"VIDEOQ_BILLING['PLANS'] has two plans with the name {str(name)!r}; rename one."


def test_a_default_plan_that_is_missing() -> None:
    assert problem(DEFAULT_PLAN="Free") == (
        "VIDEOQ_BILLING['DEFAULT_PLAN'] is 'Free', which PLANS lacks; use one of ['free']."
    )
    assert "which PLANS lacks; add one with price_cents 0 to PLANS." in problem(PLANS={"paid": PAID})


def test_a_default_plan_that_costs_money() -> None:
    sentence = problem(DEFAULT_PLAN="premium")
    assert "is 'premium', which costs money" in sentence
    assert sentence.endswith("use one of ['free'].")


def test_a_default_plan_by_another_name() -> None:
    assert read(DEFAULT_PLAN="start", PLANS={"start": FREE}).DEFAULT_PLAN == "start"


def test_a_paid_plan_must_limit_something() -> None:
    assert "costs money and limits nothing; set video_limit or" in plan_problem(video_limit=None)
    read(PLANS={"free": {"name": "Free"}})  # a free plan need not
    read(PLANS={"free": FREE, "paid": {**PAID, "video_limit": None, "transcription_limit_minutes": 0}})
