"""Whatever a host has set for its own API, these endpoints keep the contract."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BrowsableAPIRenderer, TemplateHTMLRenderer
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.versioning import NamespaceVersioning
from rest_framework.views import APIView

from tests.api.clients import URLS, ask, assert_refused
from tests.api.contract import LOCAL
from tests.factories import make_payment


def own_handler(error: Exception, context: dict[str, Any]) -> Response:
    return Response({"oops": "the host's own shape"}, status=400)


def with_rest_framework(settings: Any, **options: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **options}


def test_a_hosts_own_exception_handler(settings: Any, client: APIClient, signed_in: APIClient) -> None:
    with_rest_framework(settings, EXCEPTION_HANDLER="tests.api.test_host_settings.own_handler")
    assert_refused(client.get(URLS["billing/usage"]), "not_authenticated")
    assert_refused(signed_in.get(URLS["billing/history"], {"limit": "x"}), "invalid_request")
    assert_refused(signed_in.delete(URLS["billing/usage"]), "method_not_allowed")


@pytest.mark.parametrize("endpoint", LOCAL)
def test_a_hosts_own_date_format_and_time_zone(
    settings: Any, signed_in: APIClient, user: Any, endpoint: tuple[str, str]
) -> None:
    make_payment(user=user)
    settings.TIME_ZONE = "Asia/Tokyo"
    as_it_should_be = ask(signed_in, endpoint).text
    with_rest_framework(settings, DATETIME_FORMAT="%d.%m.%y", COERCE_DECIMAL_TO_STRING=False)
    with timezone.override("America/New_York"):
        assert ask(signed_in, endpoint).text == as_it_should_be
    assert "+09:00" not in as_it_should_be


def test_a_hosts_own_error_key_changes_no_field(settings: Any, signed_in: APIClient) -> None:
    with_rest_framework(settings, NON_FIELD_ERRORS_KEY="everything")
    response = signed_in.post(URLS["billing/usage/check"], "[]", content_type="application/json")
    assert list(assert_refused(response, "invalid_request")["details"]) == ["everything"]


def test_lenient_json_is_refused_all_the_same(monkeypatch: pytest.MonkeyPatch, signed_in: APIClient) -> None:
    monkeypatch.setattr(JSONParser, "strict", False)  # STRICT_JSON, which is read once
    raw = '{"action": "upload_video", "remark": NaN}'
    response = signed_in.post(URLS["billing/usage/check"], raw, content_type="application/json")
    assert_refused(response, "invalid_request")


HOST_DEFAULTS: list[tuple[str, Any]] = [
    ("renderer_classes", [TemplateHTMLRenderer, BrowsableAPIRenderer]),
    ("parser_classes", []),
    ("throttle_classes", None),
    ("permission_classes", None),
    ("content_negotiation_class", None),
    ("versioning_class", NamespaceVersioning),
]


@pytest.mark.parametrize(("attribute", "value"), HOST_DEFAULTS)
@pytest.mark.parametrize("endpoint", LOCAL)
def test_a_hosts_defaults_for_its_own_views(
    monkeypatch: pytest.MonkeyPatch,
    signed_in: APIClient,
    endpoint: tuple[str, str],
    attribute: str,
    value: Any,
) -> None:
    """REST framework reads such defaults once, into the class that all views stand on."""
    as_it_should_be = ask(signed_in, endpoint, headers={"accept": "text/html, */*;q=0.5"})
    monkeypatch.setattr(APIView, attribute, value)
    monkeypatch.setattr(NamespaceVersioning, "allowed_versions", ["v1"])
    response = ask(signed_in, endpoint, headers={"accept": "text/html, */*;q=0.5"})
    assert (response.status_code, response.text) == (200, as_it_should_be.text)
    assert response.headers["Content-Type"] == "application/json"


BARE_HOST = """
import sys
if {blocked}:
    sys.modules["drf_spectacular"] = None
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="for this test only",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF="tests.api.urls",
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_videoq_billing",
    ],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    MIGRATION_MODULES=dict.fromkeys(["auth", "contenttypes", "videoq_billing"]),
)
django.setup()
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("check")
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient
client = APIClient()
assert client.get("/api/billing/usage").status_code == 401
client.force_authenticate(get_user_model().objects.create(username="anna"))
for path in ("plans", "subscription", "usage", "usage/history", "history", "payment-method"):
    assert client.get("/api/billing/" + path).status_code == 200, path
response = client.post("/api/billing/usage/check", {{"action": "upload_video"}}, format="json")
assert response.json()["allowed"] is True, response.json()
assert ("drf_spectacular.utils" in sys.modules) is not {blocked}
"""


@pytest.mark.parametrize("blocked", [True, False])
def test_a_bare_host_with_and_without_drf_spectacular(blocked: bool) -> None:
    """Nothing but the apps that the package needs, and REST framework as it comes."""
    script = BARE_HOST.format(blocked=blocked)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    assert (ran.returncode, ran.stderr) == (0, "")
