"""A change over the API, as the page's own script makes it: with the token that its configuration holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.pages.conftest import config_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pages.urls")]

CHECK = {"action": "upload_video"}

HOSTS: list[dict[str, Any]] = [
    {},
    {"CSRF_USE_SESSIONS": True},
    {"CSRF_COOKIE_HTTPONLY": True},
    {"CSRF_COOKIE_NAME": "xsrf", "CSRF_HEADER_NAME": "HTTP_X_XSRF_TOKEN"},
]


@pytest.fixture(params=HOSTS, ids=lambda given: "+".join(given) or "defaults")
def strict(request: pytest.FixtureRequest, settings: Any, user: Any, manifest: Path) -> Client:
    """A browser at a host that checks tokens, as every real one does."""
    for name, value in request.param.items():
        setattr(settings, name, value)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", ["/billing/", "/account/"])
def test_with_the_token_of_the_page_a_change_is_taken(strict: Client, path: str) -> None:
    config = config_of(strict.get(path).text)

    answer = strict.post(
        config["apiUrl"] + "billing/usage/check",
        CHECK,
        content_type="application/json",
        headers={config["csrfHeaderName"]: config["csrfToken"]},
    )

    assert (answer.status_code, answer.json()["allowed"]) == (200, True)


@pytest.mark.parametrize("token", [None, "x" * 64])
def test_without_it_a_change_is_refused(strict: Client, token: str | None) -> None:
    config = config_of(strict.get("/billing/").text)
    headers = {config["csrfHeaderName"]: token} if token else {}

    answer = strict.post(
        config["apiUrl"] + "billing/usage/check", CHECK, content_type="application/json", headers=headers
    )

    assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")


def test_the_token_of_another_browser_is_refused(strict: Client, user: Any) -> None:
    other = Client()
    other.force_login(user)
    theirs = config_of(other.get("/billing/").text)
    mine = config_of(strict.get("/billing/").text)

    answer = strict.post(
        mine["apiUrl"] + "billing/usage/check",
        CHECK,
        content_type="application/json",
        headers={mine["csrfHeaderName"]: theirs["csrfToken"]},
    )

    assert answer.status_code == 403
