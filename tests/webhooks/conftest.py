from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.webhooks.delivery import billing


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.VIDEOQ_BILLING = billing()


@pytest.fixture
def client() -> APIClient:
    return APIClient(enforce_csrf_checks=True)
