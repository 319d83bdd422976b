"""The settings under which a host's tests run: nothing leads out of this machine, and nothing is left behind."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from django.conf import settings as django_settings
from django.test import override_settings

from django_videoq_billing.conf import SETTING, get_settings
from django_videoq_billing.services import counting, refusal_notes, usage_alerts
from django_videoq_billing.services.stripe_service.client import sdk_leading_to
from django_videoq_billing.testing.delivery import SECRET
from django_videoq_billing.testing.errors import SandboxError
from django_videoq_billing.testing.process import HOST, KEY


@contextmanager
def leading_to(url: str) -> Iterator[None]:
    """Have this site's Stripe be the sandbox at `url`. Raises SandboxError where a live key is about."""
    refuse_live_keys()
    with ExitStack() as stack:
        stack.enter_context(without_proxy())
        stack.enter_context(sdk_leading_to(url))  # dj-stripe, and whatever else of the host uses the SDK
        stack.enter_context(override_settings(STRIPE_API_HOST=url, **{SETTING: settings_for(url)}))
        forget()
        stack.callback(forget)
        yield


def refuse_live_keys() -> None:
    ours = get_settings().STRIPE_SECRET_KEY
    theirs = getattr(django_settings, "STRIPE_LIVE_SECRET_KEY", "") or ""  # dj-stripe's
    for name, key in ((f"{SETTING}['STRIPE_SECRET_KEY']", ours), ("STRIPE_LIVE_SECRET_KEY", theirs)):
        if "_live_" in key:
            raise SandboxError(
                f"{name} is a live key, which has no business in tests: give their settings a test key, or none."
            )


def settings_for(url: str) -> dict[str, Any]:
    """Return the host's settings as far as they are not about who works when, and where Stripe is."""
    own: dict[str, Any] = dict(getattr(django_settings, SETTING, {}))
    return {
        **own,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": url,
        "STRIPE_MAX_NETWORK_RETRIES": 0,
        "STRIPE_TIMEOUT_SECONDS": 20,
        "WEBHOOK_PROCESSING": "inline",
        "EMAIL_SENDING": "inline",
        "THROTTLE_RATES": dict.fromkeys(get_settings().THROTTLE_RATES),  # users of all tests share their ids
        "USAGE_REDIS_PREFIX": f"test-{secrets.token_hex(6)}",  # and their counters
    }


def forget() -> None:
    """Forget what this process has noticed about users whose rows are rolled back, and what Redis counts of them."""
    usage_alerts.noticed.clear()
    refusal_notes.noted.clear()
    counting.clear()


@contextmanager
def without_proxy() -> Iterator[None]:
    """The SDK heeds the proxies of the environment, also on the way to this machine, unless it is told not to.

    It reads them from the environment alone, so that is where it is told, for the time of the block.
    """
    spared = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST]))
    with mock.patch.dict(os.environ, {"NO_PROXY": spared, "no_proxy": spared}):
        yield
