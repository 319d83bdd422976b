from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import client_of
from tests.api.shop import KEY, Shop, settings_for

if TYPE_CHECKING:
    from tests.sandbox.driver import Driver

SANDBOX = find_spec("httpx") is not None and find_spec("starlette") is not None
if SANDBOX:
    from tests.stripe_site import customer, plans, stripe_account, stripe_process

    __all__ = ["customer", "plans", "stripe_account", "stripe_process"]
else:
    collect_ignore = ["test_payment_method.py"]


@pytest.fixture
def client() -> APIClient:
    """A client that nobody has signed in with."""
    return APIClient()


@pytest.fixture
def signed_in(user: Any) -> APIClient:
    """A client with the session of `user`, who is on the default plan."""
    return client_of(user)


@pytest.fixture(scope="session")
def api_stripe_process() -> Iterator[Driver]:
    """A local Stripe in its own process, whose time is the real time."""
    if not SANDBOX:
        pytest.skip("The [sandbox] extra is not installed.")
    from tests.sandbox.driver import running

    with running("--seed", "api", "--api-key", KEY) as driver:
        yield driver


@pytest.fixture
def shop(api_stripe_process: Driver, settings: Any, db: None) -> Shop:
    api_stripe_process.reset()
    settings.VIDEOQ_BILLING = settings_for(api_stripe_process.url)
    return Shop(api_stripe_process)
