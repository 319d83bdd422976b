"""Ways to ask, and what every answer is compared with."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.api.contract import (
    ENDPOINTS,
    HTTP_STATUS_OF_CODE,
    LOCAL,
    PARTS,
    PREFIX,
    STATUS_OF_CODE,
    WEBHOOK,
)

CHECK = {"action": "upload_video"}
URLS = {path: PREFIX + path for _, path in ENDPOINTS}
PUBLIC = [("GET", "billing/plans"), WEBHOOK]
PERSONAL = [endpoint for endpoint in ENDPOINTS if endpoint not in PUBLIC]
PERSONAL_AND_LOCAL = [endpoint for endpoint in LOCAL if endpoint not in PUBLIC]


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def token_client_of(user: Any) -> APIClient:
    token, _ = Token.objects.get_or_create(user=user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def ask(client: APIClient, endpoint: tuple[str, str], *, plan_id: int = 1, **extra: Any) -> Any:
    """Send the endpoint what it needs; where it needs a plan, this one."""
    method, path = endpoint
    body = json.dumps({**CHECK, "plan_id": plan_id}) if method == "POST" else ""
    url = f"{URLS[path]}?plan_id={plan_id}" if path.endswith("preview") else URLS[path]
    return client.generic(method, url, body, content_type="application/json", **extra)


def check(client: APIClient, body: Any) -> Any:
    return client.post(URLS["billing/usage/check"], json.dumps(body), content_type="application/json")


def assert_refused(response: Any, code: str) -> Any:
    """The contract's body, whole, with the status of its code; return the body."""
    body = response.json()
    assert list(body) == PARTS["BillingError"]
    assert body["error"] == code
    assert response.status_code == {**STATUS_OF_CODE, **HTTP_STATUS_OF_CODE}[code]
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["details"] is None or isinstance(body["details"], dict)
    return body
