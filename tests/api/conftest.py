from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import client_of
from tests.api.shop import Shop, settings_for

if TYPE_CHECKING:
    from tests.sandbox.driver import Driver

SANDBOX = find_spec("httpx") is not None and find_spec("starlette") is not None
if SANDBOX:
    from tests.stripe_site import customer, plans, stripe_account

    __all__ = ["customer", "plans", "stripe_account"]
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


@pytest.fixture
def shop(request: pytest.FixtureRequest, settings: Any, db: None) -> Shop:
    if not SANDBOX:
        pytest.skip("The [sandbox] extra is not installed.")
    driver: Driver = request.getfixturevalue("api_stripe_process")
    driver.reset()
    settings.VIDEOQ_BILLING = settings_for(driver.url)
    return Shop(driver)
