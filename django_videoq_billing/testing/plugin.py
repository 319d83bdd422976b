"""The fixtures, for `pytest_plugins = ["django_videoq_billing.testing.plugin"]` in a host's conftest.py.

There is no entry point that would load this by itself: whoever has the package installed runs pytest for other
things, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django_videoq_billing.testing import BillingSandbox


def pytest_configure(config: pytest.Config) -> None:
    loaded = {getattr(plugin, "__name__", "") for plugin in config.pluginmanager.get_plugins()}
    if "pytest_django.plugin" not in loaded:
        raise pytest.UsageError(
            "The fixtures of django-videoq-billing need pytest-django: pip install pytest-django."
        )


@pytest.fixture
def billing_sandbox(db: None) -> Iterator[BillingSandbox]:
    """A local Stripe with the site's plans, new for each test, and both clocks at the same moment.

    The other fixtures are its moves. What a test makes before it asks for this one is made in real time.
    """
    from django_videoq_billing.testing import BillingSandbox, SandboxError

    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(BillingSandbox())
        except SandboxError as error:
            pytest.fail(str(error), pytrace=False)
        yield sandbox


@pytest.fixture
def subscribed_user(billing_sandbox: BillingSandbox) -> Callable[..., Any]:
    """`subscribed_user(plan="standard")`: a user who has paid for it (see `BillingSandbox.subscribed_user`)."""
    return billing_sandbox.subscribed_user


@pytest.fixture
def advance_billing_time(billing_sandbox: BillingSandbox) -> Callable[..., Any]:
    """`advance_billing_time(days=31)`: both clocks, without waiting (see `BillingSandbox.advance`)."""
    return billing_sandbox.advance


@pytest.fixture
def deliver_webhooks(billing_sandbox: BillingSandbox) -> Callable[..., list[str]]:
    """`deliver_webhooks()`: what has happened at Stripe (see `BillingSandbox.deliver_webhooks`)."""
    return billing_sandbox.deliver_webhooks


@pytest.fixture
def fail_next_payment(billing_sandbox: BillingSandbox) -> Callable[..., None]:
    """`fail_next_payment(user)`: the bank will refuse (see `BillingSandbox.fail_next_payment`)."""
    return billing_sandbox.fail_next_payment


@pytest.fixture
def run_billing_jobs(billing_sandbox: BillingSandbox) -> Callable[..., None]:
    """`run_billing_jobs()`: what is due when nobody is looking (see `BillingSandbox.run_billing_jobs`)."""
    return billing_sandbox.run_billing_jobs


@pytest.fixture
def assert_quota(billing_sandbox: BillingSandbox) -> Callable[..., None]:
    """`assert_quota(user, "video", used=2, limit=3)` (see `BillingSandbox.assert_quota`)."""
    return billing_sandbox.assert_quota
