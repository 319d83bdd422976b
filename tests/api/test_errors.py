"""Refusals that are not an endpoint's own: the same body for each of them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import Http404
from django.urls import Resolver404, resolve
from rest_framework import exceptions
from rest_framework.test import APIClient

from django_videoq_billing.api.errors import billing_exception_handler
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.types import Counters, Entitlement
from django_videoq_billing.usage.database import DatabaseUsageStore
from tests.api.clients import CHECK, PERSONAL, URLS, ask, assert_refused, client_of, token_client_of
from tests.api.contract import ENDPOINTS, LOCAL

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
READ_BODIES = [path for method, path in PERSONAL if method == "POST" and not path.endswith("reactivate")]
WRONG_METHODS = [
    (method, path) for _, path in ENDPOINTS for method in METHODS if (method, path) not in ENDPOINTS
]


@pytest.mark.parametrize(("method", "path"), WRONG_METHODS)
def test_a_wrong_method_is_405(signed_in: APIClient, method: str, path: str) -> None:
    response = signed_in.generic(method, URLS[path], "{}", content_type="application/json")
    assert_refused(response, "method_not_allowed")
    assert method not in response.headers["Allow"].split(", ")


@pytest.mark.parametrize("path", READ_BODIES)
@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "\u00e9"]
)
def test_a_body_that_claims_to_be_no_json_is_415(signed_in: APIClient, path: str, content_type: str) -> None:
    response = signed_in.generic("POST", URLS[path], json.dumps(CHECK), content_type=content_type)
    assert_refused(response, "unsupported_media_type")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "image/*"])
def test_a_client_that_takes_no_json_is_told_so_in_json(
    signed_in: APIClient, endpoint: tuple[str, str], accept: str
) -> None:
    assert_refused(ask(signed_in, endpoint, headers={"accept": accept}), "not_acceptable")


@pytest.mark.parametrize("endpoint", LOCAL)
@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html,application/xhtml+xml,*/*;q=0.8", "application/*"]
)
def test_everybody_else_gets_json(signed_in: APIClient, endpoint: tuple[str, str], accept: str) -> None:
    response = ask(signed_in, endpoint, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"


def test_an_unknown_format_is_not_found(signed_in: APIClient) -> None:
    assert_refused(signed_in.get(URLS["billing/plans"], {"format": "xml"}), "not_found")


@pytest.mark.parametrize("path", ["nothing-here", "", "plans/", "plans/1", "usage/check/now", "PLANS"])
def test_a_path_that_is_not_ours_is_left_to_the_host(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/api/billing/{path}")


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in PERSONAL if endpoint[0] == "POST"])
def test_a_session_without_a_csrf_token_is_refused(user: Any, endpoint: tuple[str, str]) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    body = assert_refused(ask(client, endpoint), "permission_denied")
    assert "CSRF" in body["message"]
    assert ask(client, ("GET", "billing/usage")).status_code == 200


def test_a_session_with_its_csrf_token_is_admitted(user: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    client.cookies[django_settings.CSRF_COOKIE_NAME] = "a" * 32
    response = ask(client, ("POST", "billing/usage/check"), headers={"x-csrftoken": "a" * 32})
    assert response.status_code == 200


def test_a_messages_language_is_the_requests(signed_in: APIClient) -> None:
    url, query = URLS["billing/history"], {"limit": "many"}
    english = assert_refused(signed_in.get(url, query), "invalid_request")["message"]
    japanese = signed_in.get(url, query, headers={"accept-language": "ja"})
    assert english == "A valid integer is required."
    assert assert_refused(japanese, "invalid_request")["message"] != english


def test_the_first_field_error_is_the_message_and_all_are_details(signed_in: APIClient) -> None:
    body = assert_refused(
        signed_in.get(URLS["billing/history"], {"limit": "0", "offset": "-1"}), "invalid_request"
    )
    assert list(body["details"]) == ["limit", "offset"]
    assert body["message"] == body["details"]["limit"][0]


def test_more_parameters_than_django_reads_are_refused(
    signed_in: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    query = "&".join(f"p{number}=1" for number in range(1100))
    assert_refused(signed_in.get(f"{URLS['billing/history']}?{query}"), "invalid_request")
    assert "django.security.TooManyFieldsSent" in {record.name for record in caplog.records}


@pytest.mark.parametrize(("limit", "fits"), [(None, True), (2000, True), (1999, False)])
@pytest.mark.parametrize("make_client", [client_of, token_client_of])
def test_a_body_longer_than_the_host_reads_is_413(
    settings: Any, user: Any, make_client: Any, limit: int | None, fits: bool
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit
    body = json.dumps(CHECK).ljust(2000)
    response = make_client(user).post(URLS["billing/usage/check"], body, content_type="application/json")
    if fits:
        assert response.status_code == 200
    else:
        assert_refused(response, "payload_too_large")


class BrokenStore(DatabaseUsageStore):
    """A store whose database has just gone."""

    def get(self, entitlement: Entitlement) -> Counters:
        raise DatabaseError("secret: password=hunter2")


@pytest.fixture
def _database_down(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"USAGE_STORE": "tests.api.test_errors.BrokenStore"}


@pytest.mark.usefixtures("_database_down")
class TestCrash:
    def ask(self, user: Any, **headers: str) -> Any:
        client = client_of(user)
        client.raise_request_exception = False
        return client.get(URLS["billing/usage"], headers=headers)

    def test_it_is_told_without_a_detail_and_logged_with_all(
        self, user: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = self.ask(user)
        assert assert_refused(response, "server_error")["details"] is None
        assert "hunter2" not in response.text
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert record.name == "django.request"
        assert record.exc_info
        assert "hunter2" in str(record.exc_info[1])

    def test_it_reaches_the_hosts_error_reporting(self, signed_in: APIClient) -> None:
        with pytest.raises(DatabaseError):  # the test client learns of it by the signal that reporters use
            signed_in.get(URLS["billing/usage"])

    def test_what_the_request_had_written_is_undone(self, user: Any, monkeypatch: Any) -> None:
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        assert self.ask(user).status_code == 500
        assert not UserSubscription.objects.filter(user=user).exists()

    def test_while_debugging_djangos_page_shows_it(self, settings: Any, user: Any) -> None:
        settings.DEBUG = True
        response = self.ask(user, accept="text/html,*/*;q=0.8")
        assert response.status_code == 500
        assert "hunter2" in response.text


class _StaleToken(exceptions.AuthenticationFailed):
    """As token packages raise it: a subclass, with a dict for its detail."""

    default_detail = {"detail": "Token is stale.", "code": "token_stale"}


class _Teapot(exceptions.APIException):
    status_code = 418
    default_detail = "A teapot."


class _BackendDown(exceptions.APIException):
    status_code = 503
    default_detail = ["The directory is down."]


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (_StaleToken({"detail": "Token is stale."}), 401, "not_authenticated", "Token is stale."),
        (PermissionDenied("No."), 403, "permission_denied", "No."),
        (Http404("No."), 404, "not_found", "No."),
        (_Teapot(), 418, "invalid_request", "A teapot."),
        (_BackendDown(), 503, "server_error", "The directory is down."),
        (exceptions.ValidationError("Wrong."), 400, "invalid_request", "Wrong."),
        (exceptions.ValidationError([]), 400, "invalid_request", "[]"),
    ],
)
def test_what_a_hosts_own_code_raises_gets_the_contracts_body(
    error: Exception, status: int, code: str, message: str
) -> None:
    response = billing_exception_handler(error, {})
    assert response is not None
    assert response.status_code == status
    assert list(response.data) == ["error", "message", "details"]
    assert response.data["error"] == code
    assert message in response.data["message"]
    assert response.data["details"] is None or isinstance(response.data["details"], dict)
