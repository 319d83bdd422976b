"""For host projects: test billing offline, against a local Stripe. docs/testing.md shows how.

With pytest write `pytest_plugins = ["django_videoq_billing.testing.plugin"]` into conftest.py; with Django's own runner
inherit from `BillingTestCase`. Needs the `[testing]` extra. Nothing here is meant for production.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_videoq_billing.testing.cases import BillingTestCase
    from django_videoq_billing.testing.errors import SandboxError
    from django_videoq_billing.testing.factories import make_plan, make_user_on
    from django_videoq_billing.testing.kit import BillingSandbox

__all__ = ["BillingSandbox", "BillingTestCase", "SandboxError", "make_plan", "make_user_on"]

_HOMES = {
    "BillingSandbox": "kit",
    "BillingTestCase": "cases",
    "SandboxError": "errors",
    "make_plan": "factories",
    "make_user_on": "factories",
}


def __getattr__(name: str) -> Any:
    """Import late: pytest loads plugins before Django has its models."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
