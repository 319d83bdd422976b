from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api.clients import client_of


@pytest.fixture
def client() -> APIClient:
    """A client that nobody has signed in with."""
    return APIClient()


@pytest.fixture
def signed_in(user: Any) -> APIClient:
    """A client with the session of `user`, who is on the default plan."""
    return client_of(user)
