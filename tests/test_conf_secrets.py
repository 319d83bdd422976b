"""A secret is used and never shown: not in an error, not in a repr, not in a message of the process."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import asdict, fields
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.views.debug import SafeExceptionReporterFilter

from django_videoq_billing.conf import BillingSettings, get_settings
from django_videoq_billing.conf_rules import SETTING_RULES

KEY = "sk_live_51Hush"
SECRETS = ["whsec_hush1", "whsec_hush2"]


def refused(**given: Any) -> str:
    with override_settings(VIDEOQ_BILLING=given), pytest.raises(ImproperlyConfigured) as caught:
        get_settings()
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "value", [f"{KEY} ", f"x{KEY}", f"{KEY}\n", [KEY], {KEY: KEY}, f"pk_{KEY}", f"{KEY}-{KEY}"]
)
def test_a_wrong_key_is_refused_without_being_repeated(value: Any) -> None:
    told = refused(STRIPE_SECRET_KEY=value)
    assert "Hush" not in told
    assert "VIDEOQ_BILLING['STRIPE_SECRET_KEY'] must be a secret or restricted key" in told
    assert told.endswith("not what it is.\n")


@pytest.mark.parametrize(
    "value", [f"{SECRETS[0]} ", [*SECRETS, None], {SECRETS[0]}, [f"{SECRETS[0]}\n"], [SECRETS]]
)
def test_a_wrong_signing_secret_is_refused_without_being_repeated(value: Any) -> None:
    told = refused(STRIPE_WEBHOOK_SECRET=value)
    assert "hush" not in told
    assert "VIDEOQ_BILLING['STRIPE_WEBHOOK_SECRET'] must be the signing secret" in told


def test_a_problem_elsewhere_does_not_show_them_either() -> None:
    told = refused(
        STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRETS, GRACE_PERIOD_DAYS=-1, PLANS=None, X=1
    )
    assert "ush" not in told


def test_a_misspelt_key_does_not_show_its_value() -> None:
    told = refused(STRIPE_SECRT_KEY=KEY)
    assert "ush" not in told
    assert "Did you mean 'STRIPE_SECRET_KEY'?" in told


@override_settings(VIDEOQ_BILLING={"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRETS})
def test_the_settings_do_not_show_them() -> None:
    settings = get_settings()
    assert "ush" not in f"{settings!r} {settings!s} {settings}"
    assert "ush" in f"{asdict(settings)}", "it is the repr that hides them"
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 (our own)


def test_every_setting_that_is_a_secret_is_treated_as_one() -> None:
    hidden = {option.name for option in fields(BillingSettings) if not option.repr}
    named = {
        name for name in SETTING_RULES if name.endswith(("_SECRET", "_SECRET_KEY", "_TOKEN", "_PASSWORD"))
    }
    assert hidden == named == {name for name, rule in SETTING_RULES.items() if rule.secret}


@override_settings(VIDEOQ_BILLING={"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRETS})
def test_djangos_page_for_errors_does_not_show_them() -> None:
    shown = SafeExceptionReporterFilter().get_safe_settings()["VIDEOQ_BILLING"]
    assert "ush" not in f"{shown}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ()),
        ("whsec_1", ("whsec_1",)),
        ([], ()),
        (["whsec_1"], ("whsec_1",)),
        (["whsec_1", "", "whsec_2"], ("whsec_1", "whsec_2")),
    ],
)
def test_the_secrets_that_count_now(given: Any, expected: tuple[str, ...]) -> None:
    with override_settings(VIDEOQ_BILLING={"STRIPE_WEBHOOK_SECRET": given}):
        assert get_settings().webhook_secrets == expected
