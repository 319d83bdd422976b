from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from django_videoq_billing.services.entitlements import ensure_subscription
from tests.stripe_site import customer, plans, stripe_account

__all__ = ["customer", "plans", "stripe_account"]

Run = Callable[..., str]


@pytest.fixture
def run(db: None) -> Run:
    """Run a command as an operator would and return what it prints, without colours."""

    def _run(*args: Any, **options: Any) -> str:
        out = StringIO()
        call_command(*args, stdout=out, no_color=True, **options)
        return out.getvalue()

    return _run


@pytest.fixture
def ada(db: None) -> User:
    """A user on the default plan."""
    user = User.objects.create_user("ada", "ada@example.com")
    ensure_subscription(user)
    return user


@pytest.fixture
def users_from_before(db: None) -> list[User]:
    """Users who were there before the app was installed: they have no subscription."""
    names = ["u1", "u2", "u3", "u4", "u5"]
    return User.objects.bulk_create([User(username=name) for name in names])
