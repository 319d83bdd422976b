from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils.functional import lazy

from django_videoq_billing.conf import BillingSettings, get_settings
from tests.conf_emails import EMAILS_INVALID, EMAILS_VALID
from tests.conf_stripe import STRIPE_INVALID, STRIPE_VALID
from tests.conf_usage import USAGE_INVALID, USAGE_VALID

FREE = {"name": "Free", "video_limit": 3}
PAID = {"name": "Paid", "price_cents": 500, "video_limit": 10}


def read(**given: Any) -> BillingSettings:
    with override_settings(VIDEOQ_BILLING=given):
        return get_settings()


def problems(given: Any) -> list[str]:
    with override_settings(VIDEOQ_BILLING=given), pytest.raises(ImproperlyConfigured) as caught:
        get_settings()
    return str(caught.value).splitlines()


def problem(**given: Any) -> str:
    (sentence,) = problems(given)
    return sentence


def test_nothing_set_is_the_seeds_three_plans() -> None:
    plans = read().PLANS
    assert [
        (p.slug, p.name, p.price_cents, p.video_limit, p.transcription_limit_minutes) for p in plans.values()
    ] == [
        ("free", "Free", 0, 3, 30),
        ("standard", "Standard", 1200, 50, 300),
        ("premium", "Premium", 4900, None, 1000),
    ]
    assert {(p.currency, p.interval, p.trial_days, p.is_public) for p in plans.values()} == {
        ("USD", "month", 0, True)
    }


def test_nothing_set_is_every_default(settings: Any) -> None:
    del settings.VIDEOQ_BILLING
    defaults = get_settings()
    assert (defaults.DEFAULT_PLAN, defaults.QUOTA_EXCEEDED_STATUS, defaults.GRACE_PERIOD_DAYS) == (
        "free",
        403,
        3,
    )
    assert defaults.THROTTLE_RATES == {"plans": "60/min", "read": "120/min", "write": "20/min"}
    assert (defaults.STRIPE_SECRET_KEY, defaults.webhook_secrets) == ("", ()), "no secret has a default"


VALID: list[tuple[str, Any, Any]] = [
    ("AUTO_ASSIGN_DEFAULT_PLAN", False, False),
    ("USAGE_STORE", "database", "database"),
    ("USAGE_STORE", "shop.usage.OurStore", "shop.usage.OurStore"),
    ("RESERVATION_SECONDS", 1, 1),
    ("RESERVATION_SECONDS", 30 * 86400, 30 * 86400),
    ("QUOTA_EXCEEDED_STATUS", 402, 402),
    ("QUOTA_EXCEEDED_STATUS", 429, 429),
    ("UPGRADE_URL", "", ""),
    ("UPGRADE_URL", "/", "/"),
    ("UPGRADE_URL", "/billing/?from=quota#plans", "/billing/?from=quota#plans"),
    ("UPGRADE_URL", "/plans/?next=https://example.com", "/plans/?next=https://example.com"),
    ("UPGRADE_URL", "https://example.com/plans", "https://example.com/plans"),
    ("UPGRADE_URL", "HTTP://localhost:3000", "HTTP://localhost:3000"),
    ("UPGRADE_URL", "plans", "plans"),
    ("UPGRADE_URL", "shop:billing:plan-list", "shop:billing:plan-list"),
    ("WARNING_THRESHOLDS", [], ()),
    ("WARNING_THRESHOLDS", [1, 50, 100], (1, 50, 100)),
    ("GRACE_PERIOD_DAYS", 0, 0),
    ("TRANSCRIPTION_COST_PER_SECOND", Decimal("0.0001"), Decimal("0.0001")),
    ("TRANSCRIPTION_COST_PER_SECOND", "0.00025", Decimal("0.00025")),
    ("TRANSCRIPTION_COST_PER_SECOND", 0, Decimal(0)),
    ("TRANSCRIPTION_COST_PER_SECOND", "0.123456780000", Decimal("0.12345678")),
    ("TRANSCRIPTION_COST_BY_MODEL", {}, {}),
    (
        "TRANSCRIPTION_COST_BY_MODEL",
        {"whisper-1": "0.0001", "large": Decimal("0.00000001"), "own": 0},
        {"whisper-1": Decimal("0.0001"), "large": Decimal("0.00000001"), "own": Decimal(0)},
    ),
    ("ALLOWED_REDIRECT_HOSTS", [], ()),
    (
        "ALLOWED_REDIRECT_HOSTS",
        ["App.Example.com", ".example.org", "localhost:3000"],
        ("app.example.com", ".example.org", "localhost:3000"),
    ),
    ("THROTTLE_RATES", {}, {"plans": "60/min", "read": "120/min", "write": "20/min"}),
    ("THROTTLE_RATES", {"read": None}, {"plans": "60/min", "read": None, "write": "20/min"}),
    ("THROTTLE_RATES", {"write": "5/day"}, {"plans": "60/min", "read": "120/min", "write": "5/day"}),
    *STRIPE_VALID,
    *USAGE_VALID,
    *EMAILS_VALID,
]


@pytest.mark.parametrize(("key", "value", "expected"), VALID)
def test_valid_values(key: str, value: Any, expected: Any) -> None:
    result = getattr(read(**{key: value}), key)
    assert (result, type(result)) == (expected, type(expected))


INVALID: list[tuple[str, Any, str]] = [
    ("DEFAULT_PLAN", None, "the slug of one of PLANS"),
    ("AUTO_ASSIGN_DEFAULT_PLAN", 1, "True or False"),
    ("AUTO_ASSIGN_DEFAULT_PLAN", "no", "True or False"),
    *USAGE_INVALID,
    *EMAILS_INVALID,
    *[("RESERVATION_SECONDS", value, "seconds from 1 to") for value in (0, -1, True, 1.0, "60", None, 10**9)],
    *[
        ("QUOTA_EXCEEDED_STATUS", value, "from 400 to 499")
        for value in (399, 500, 200, True, "403", 403.0, None)
    ],
    *[
        ("UPGRADE_URL", value, "a path such as '/billing/'")
        for value in (
            None,
            "javascript:alert(1)",
            "javascript:alert(1)//.",
            "JaVaScRiPt://%0aalert(1)",
            "data:text/html,hi",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /plans/",
            "https:evil.example",
            "https:/evil.example",
            "https://",
            "https:///evil.example",
            "https://[",
            "https://exa mple.com",
            "ftp://example.com",
            "plans/",
            "example.com/plans",
            b"/plans/",
        )
    ],
    *[
        ("WARNING_THRESHOLDS", value, "rising whole percentages")
        for value in ([0], [101], [90, 80], [80, 80], [True], [80.0], "80", 80, {80}, None)
    ],
    *[("GRACE_PERIOD_DAYS", value, "days from 0 to 365") for value in (-1, 366, True, 3.0, "3", None)],
    *[
        ("TRANSCRIPTION_COST_PER_SECOND", value, "a float is not exact")
        for value in (
            0.0001,
            Decimal("NaN"),
            "NaN",
            "sNaN",
            Decimal("Infinity"),
            -1,
            "-0.1",
            2,
            True,
            "",
            "cheap",
            None,
            "0.000000001",
            Decimal("0.123456789"),
            "1e-400",
        )
    ],
    *[
        ("TRANSCRIPTION_COST_BY_MODEL", value, "a dict from a model's name to a Decimal")
        for value in (
            None,
            "0.0001",
            [("whisper-1", "0.0001")],
            {"whisper-1": 0.0001},
            {"whisper-1": None},
            {"whisper-1": "2"},
            {"whisper-1": "0.000000001"},
            {"": "0.0001"},
            {"x" * 51: "0.0001"},
            {1: "0.0001"},
        )
    ],
    *[
        ("ALLOWED_REDIRECT_HOSTS", value, "without scheme or path")
        for value in (
            "example.com",
            ["https://example.com"],
            ["example.com/path"],
            ["user@example.com"],
            ["*"],
            [""],
            ["."],
            ["a..b"],
            ["example.com:"],
            ["example.com\n"],
            [None],
            None,
        )
    ],
    *[
        ("THROTTLE_RATES", value, "a rate such as '60/min'")
        for value in (
            "60/min",
            {"webhook": "1/s"},
            {"read": 60},
            {"read": "60"},
            {"read": "0/min"},
            {"read": "-1/min"},
            {"read": "60/month"},
            {"read": "٣/min"},
            {1: "60/min"},
            None,
        )
    ],
    *STRIPE_INVALID,
]


@pytest.mark.parametrize(("key", "value", "expected"), INVALID)
def test_invalid_values_are_refused_and_the_message_says_what_to_write(
    key: str, value: Any, expected: str
) -> None:
    sentence = problem(**{key: value})
    assert sentence.startswith(f"VIDEOQ_BILLING[{key!r}] must be ")
    assert expected in sentence


def test_every_setting_has_valid_and_invalid_examples() -> None:
    keys = set(BillingSettings.__dataclass_fields__) - {"PLANS"}
    assert keys == {key for key, *_ in INVALID}
    assert keys - {"DEFAULT_PLAN"} == {key for key, *_ in VALID}


@pytest.mark.parametrize("given", [None, [], "free", 3])
def test_the_setting_itself_must_be_a_dict(given: Any) -> None:
    (sentence,) = problems(given)
    assert "VIDEOQ_BILLING must be a dict of options" in sentence


@pytest.mark.parametrize("key", ["DEFALT_PLAN", "default_plan", "DEFAULT_PLANS"])
def test_an_unknown_key_is_refused_with_a_suggestion(key: str) -> None:
    assert problem(**{key: "free"}) == f"VIDEOQ_BILLING has no key {key!r}. Did you mean 'DEFAULT_PLAN'?"


def test_an_unknown_key_like_nothing_lists_the_known_ones() -> None:
    (sentence,) = problems({3: "free"})
    assert sentence.startswith("VIDEOQ_BILLING has no key 3. Known keys: PLANS, DEFAULT_PLAN, ")


def test_every_problem_is_reported_at_once() -> None:
    plans = {"free": {**FREE, "price": 0}, "paid": {**PAID, "currency": "usd", "trial_days": -1}, "n o": {}}
    assert len(problems({"PLANS": plans, "GRACE_PERIOD_DAYS": -1, "UPGRADE_ULR": "/"})) == 6


def test_a_lazy_value_in_the_wrong_place_is_not_evaluated() -> None:
    def explode() -> str:
        raise AssertionError("evaluated while the process was starting")

    assert problem(UPGRADE_URL=lazy(explode, str)()).endswith("not a lazy value.")


def test_a_change_takes_effect_at_once() -> None:
    before = get_settings()
    with override_settings(VIDEOQ_BILLING={"GRACE_PERIOD_DAYS": 9}):
        assert get_settings().GRACE_PERIOD_DAYS == 9
    assert get_settings() == before
    assert get_settings() is get_settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        get_settings().GRACE_PERIOD_DAYS = 4  # type: ignore[misc]


def test_a_process_with_a_misspelt_key_refuses_to_start() -> None:
    program = (
        "from django.conf import settings; import django\n"
        "settings.configure(USE_TZ=True, VIDEOQ_BILLING={'UPGRADE_ULR': '/plans/'}, INSTALLED_APPS=[\n"
        "  'django.contrib.auth', 'django.contrib.contenttypes', 'django_videoq_billing'])\n"
        "django.setup(); print('started')"
    )
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode != 0
    assert run.stdout == ""
    assert run.stderr.splitlines()[-1].endswith(
        "VIDEOQ_BILLING has no key 'UPGRADE_ULR'. Did you mean 'UPGRADE_URL'?"
    )
