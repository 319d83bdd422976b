from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.views import exception_handler

from django_videoq_billing import exceptions
from django_videoq_billing.exceptions import (
    BillingError,
    Conflict,
    InvalidRequest,
    NoUsage,
    QuotaExceeded,
    StripeAuthenticationRequired,
    StripeFailure,
    StripeObjectMissing,
    StripeUnavailable,
)
from django_videoq_billing.http import (
    STATUS_BY_ERROR,
    add_ratelimit_fields,
    drf_exception,
    error_response,
    status_for,
    upgrade_url,
)
from django_videoq_billing.types import Metric, Period, Reservation
from tests.api.contract import DECORATED_STATUS_OF_CODE, PARTS, STATUS_OF_CODE

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
PERIOD = Period(START, START + timedelta(days=31))


def reservation(metric: Metric = Metric.VIDEO, used: int = 3, limit: int | None = 3) -> Reservation:
    return Reservation(
        user_id=1, metric=metric, amount=1, granted=False, used=used, limit=limit, period=PERIOD
    )


def refusal(message: str = "Video limit reached.") -> QuotaExceeded:
    return QuotaExceeded(reservation(), message)


def answer(error: BillingError, accept: str | None = None) -> HttpResponse:
    headers = {} if accept is None else {"accept": accept}
    return error_response(RequestFactory().post("/upload", headers=headers), error)


BROWSERS = {
    "chrome": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8",
    "safari": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "lynx": "text/html, text/plain, text/sgml, text/css, */*;q=0.01",
    "turbo": "text/vnd.turbo-stream.html, text/html, application/xhtml+xml",
    "prefers pages": "application/json;q=0.8, text/html",
}
PROGRAMS = {
    "no header": None,
    "empty": "",
    "curl, fetch, requests": "*/*",
    "axios": "application/json, text/plain, */*",
    "jquery": "application/json, text/javascript, */*; q=0.01",
    "httpie": "application/json, */*;q=0.5",
    "image tag": "image/avif,image/webp,image/*;q=0.8,*/*;q=0.5",
    "event stream": "text/event-stream",
    "xml only": "application/xml",
    "prefers json": "text/html;q=0.8, application/json",
    "no pages, please": "text/html;q=0, */*",
    "nonsense": ";;;,/,q=",
}


@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_a_browser_gets_a_page(accept: str) -> None:
    response = answer(refusal(), accept)
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = response.text
    assert "<h1>Video limit reached.</h1>" in page
    assert "Your usage starts again on April 10, 2026." in page
    assert '<a href="/plans/">See the plans</a>' in page


@pytest.mark.parametrize("accept", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_gets_the_contracts_body(accept: str | None) -> None:
    response = answer(refusal(), accept)
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/json"
    assert list(json.loads(response.text)) == PARTS["BillingError"]
    assert json.loads(response.text) == {
        "error": "limit_exceeded",
        "message": "Video limit reached.",
        "details": {
            "resource": "video",
            "requested": 1,
            "current_usage": 3,
            "limit": 3,
            "period_end": "2026-04-10T12:00:00Z",
            "upgrade_url": "/plans/",
        },
    }


@pytest.mark.parametrize("accept", [None, BROWSERS["chrome"]])
def test_caches_are_told_that_there_are_two_answers(accept: str | None) -> None:
    assert "Accept" in answer(refusal(), accept).headers["Vary"].split(", ")


@pytest.mark.parametrize("accept", [None, BROWSERS["chrome"]])
def test_only_a_reached_limit_speaks_of_plans(accept: str | None) -> None:
    response = answer(Conflict.live_job(), accept)
    assert response.status_code == 409
    assert "/plans/" not in response.text
    assert "RateLimit" not in response.headers


def test_the_page_shows_what_it_is_given_as_text(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": '/plans/?a=1&b="><script>alert(1)</script>'}
    page = answer(refusal("<script>alert(2)</script> & more"), BROWSERS["firefox"]).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(2)&lt;/script&gt; &amp; more" in page
    assert 'href="/plans/?a=1&amp;b=&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page


def test_what_a_caller_sent_is_not_repeated_without_end() -> None:
    error = InvalidRequest.bad_amount("<b>" + "9" * 10_000, 5)
    assert len(error.message) < 200
    assert "<b>" not in answer(error, BROWSERS["safari"]).text


def test_a_host_may_give_the_page_its_own_look(settings: Any, tmp_path: Any) -> None:
    own = tmp_path / "django_videoq_billing"
    own.mkdir()
    (own / "refused.html").write_text("Oh no: {{ error.message }} {{ error.details.limit }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert answer(refusal(), BROWSERS["chrome"]).text == "Oh no: Video limit reached. 3"


# Statuses


def leaves(kind: type[BillingError]) -> Iterator[type[BillingError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith(exceptions.__name__):
            yield from leaves(child) if child.__subclasses__() else [child]


def bare(kind: type[BillingError]) -> BillingError:
    return refusal() if kind is QuotaExceeded else kind("Said to a person.")


ALL = list(leaves(BillingError))
SHARED: dict[type[BillingError], type[BillingError]] = {
    StripeAuthenticationRequired: StripeFailure,
    StripeObjectMissing: StripeFailure,
}
"""Leaves that have the status of what they are a kind of."""


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_the_contracts_status(kind: type[BillingError]) -> None:
    status_of_code = {**STATUS_OF_CODE, **DECORATED_STATUS_OF_CODE}
    assert kind.code in status_of_code
    assert answer(bare(kind)).status_code == status_of_code[kind.code]


def test_the_table_knows_no_error_that_is_gone() -> None:
    assert STATUS_BY_ERROR.keys() | {QuotaExceeded} == {SHARED.get(kind, kind) for kind in ALL}


@pytest.mark.parametrize("accept", [None, BROWSERS["chrome"]])
@pytest.mark.parametrize(("seconds", "expected"), [(7, "7"), (None, "10"), (0, "10")])
def test_when_to_come_back_is_said_as_stripe_says_it_or_as_we_think(
    accept: str | None, seconds: int | None, expected: str
) -> None:
    error = StripeUnavailable.after(seconds)
    assert answer(error, accept).headers.get("Retry-After") == expected
    raised = exception_handler(drf_exception(error), {})
    assert raised is not None
    assert raised.headers.get("Retry-After") == expected
    assert "Retry-After" not in answer(StripeFailure.refused(), accept).headers


@pytest.mark.parametrize("status", [402, 403, 429])
def test_the_site_chooses_the_status_of_a_reached_limit(settings: Any, status: int) -> None:
    settings.VIDEOQ_BILLING = {"QUOTA_EXCEEDED_STATUS": status}
    assert answer(refusal()).status_code == status
    assert drf_exception(refusal()).status_code == status
    assert answer(NoUsage.for_user()).status_code == 404


def test_a_hosts_own_error_has_the_status_of_what_it_is() -> None:
    class NoInvoices(NoUsage):
        code = "no_invoices"

    class Overheated(BillingError):
        code = "overheated"

    assert status_for(NoInvoices("None.")) == 404
    assert status_for(Overheated("Too hot.")) == 500


# RateLimit fields: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/

ITEM = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]+)"((?:;[a-z*][a-z0-9_.*-]*=-?\d{1,15})*)')


def parsed(field: str) -> dict[str, dict[str, int]]:
    """A structured field (RFC 9651): a list of strings with whole numbers for parameters."""
    items = {}
    for item in field.split(", "):
        match = ITEM.fullmatch(item)
        assert match, item
        pairs = [pair.partition("=") for pair in match[2].split(";") if pair]
        items[match[1]] = {key: int(value) for key, _, value in pairs}
    return items


def fields(*reservations: Reservation) -> tuple[dict[str, Any], dict[str, Any]]:
    response = HttpResponse()
    for one in reservations:
        add_ratelimit_fields(response, one)
    return parsed(response.headers["RateLimit-Policy"]), parsed(response.headers["RateLimit"])


def test_ratelimit_fields_say_how_much_is_left_and_until_when() -> None:
    with time_machine.travel(START + timedelta(days=30, hours=23), tick=False):
        policy, left = fields(reservation(used=1))
    assert policy == {"video": {"q": 3, "w": 31 * 86400}}
    assert left == {"video": {"r": 2, "t": 3600}}


def test_ratelimit_fields_never_count_below_zero() -> None:
    with time_machine.travel(START + timedelta(days=40), tick=False):
        policy, left = fields(reservation(used=7, limit=0))
    assert (policy["video"]["q"], left["video"]) == (0, {"r": 0, "t": 0})


def test_ratelimit_fields_of_two_metrics_make_one_list() -> None:
    policy, left = fields(reservation(), reservation(Metric.TRANSCRIPTION, used=0, limit=10**9))
    assert list(policy) == list(left) == ["video", "transcription"]
    assert left["transcription"]["r"] == 10**9


def test_without_a_limit_there_is_nothing_to_say() -> None:
    response = HttpResponse()
    add_ratelimit_fields(response, reservation(limit=None))
    assert "RateLimit" not in response.headers
    assert "RateLimit-Policy" not in response.headers


@pytest.mark.parametrize("accept", [None, BROWSERS["chrome"]])
def test_a_refusal_carries_the_fields_for_whoever_asks(accept: str | None) -> None:
    assert parsed(answer(refusal(), accept).headers["RateLimit"])["video"]["r"] == 0


# UPGRADE_URL


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/billing/", "/billing/"),
        ("/billing/?from=limit#plans", "/billing/?from=limit#plans"),
        ("https://example.com/plans", "https://example.com/plans"),
        ("admin:index", "/admin/"),
        ("videoq_billing:plans", "/api/billing/plans"),
        ("", None),
    ],
)
def test_upgrade_url_is_a_path_an_address_or_a_name(
    settings: Any, caplog: pytest.LogCaptureFixture, target: str, expected: str | None
) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": target}
    assert upgrade_url() == expected
    assert not caplog.records


@pytest.mark.parametrize("target", ["no-such-page", "nobody:plans", "admin:auth_user_change"])
@pytest.mark.parametrize("accept", [None, BROWSERS["chrome"]])
def test_a_name_that_nothing_has_costs_the_link_and_not_the_answer(
    settings: Any, caplog: pytest.LogCaptureFixture, target: str, accept: str | None
) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": target}
    response = answer(refusal(), accept)
    assert response.status_code == 403
    assert "<a " not in response.text
    assert target not in response.text
    assert "upgrade_url_unknown" in caplog.text
