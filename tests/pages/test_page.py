"""The billing page as Django answers it: its frame, its files, its configuration, its headers."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import set_script_prefix
from django.utils import timezone

from django_videoq_billing.pages.embedding import embedded_in
from django_videoq_billing.pages.views import billing
from tests.factories import make_plan, subscribed
from tests.leaks import leaks
from tests.pages.conftest import MANIFEST, config_of, tags

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pages.urls")]


def test_the_page_has_the_files_of_the_build(browser: Client) -> None:
    page = browser.get("/billing/").text

    scripts = [tag for tag in tags(page, "script") if "src=" in tag]
    assert scripts == ['<script type="module" src="/static/django_videoq_billing/page/assets/main-B1.js">']
    links = [re.sub(r"/static/django_videoq_billing/", "", tag) for tag in tags(page, "link")]
    assert links == [
        '<link rel="stylesheet" href="standalone.css">',
        '<link rel="stylesheet" href="page/assets/shared-E1.css">',
        '<link rel="stylesheet" href="page/assets/main-D1.css">',
        '<link rel="modulepreload" href="page/assets/vendor-A1.js">',
        '<link rel="modulepreload" href="page/assets/shared-C1.js">',
    ]
    assert page.count('<div id="videoq-billing" class="vqb">') == 1


def test_nothing_on_the_page_needs_an_exception_from_a_strict_policy(browser: Client) -> None:
    page = browser.get("/billing/").text

    assert all("src=" in tag or 'type="application/json"' in tag for tag in tags(page, "script"))
    assert "<style" not in page
    assert not re.search(r"<[^>]* (style|on\w+)=", page)
    assert not re.search(r"https?://", page)


def test_what_the_front_end_is_told(browser: Client, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"SITE_NAME": "Videos & more"}

    config = config_of(browser.get("/billing/").text)

    assert len(config.pop("csrfToken")) == 64
    assert abs(datetime.fromisoformat(config.pop("now")) - timezone.now()) < timedelta(minutes=1)
    assert config == {
        "apiUrl": "/api/",
        "language": "en",
        "csrfHeaderName": "X-Csrftoken",
        "page": "billing",
        "billingUrl": "/billing/",
        "successUrl": "/billing/success/",
        "loginUrl": "/login/",
        "siteName": "Videos & more",
        "timeZone": "UTC",
        "planIsGiven": False,
    }


@pytest.mark.parametrize(
    ("row", "given"),
    [
        ({}, True),
        ({"stripe_subscription_id": "sub_1"}, False),
        ({"status": "cancelled"}, False),
    ],
)
def test_the_front_end_is_told_of_a_plan_that_nobody_is_billed_for(row: dict[str, Any], given: bool) -> None:
    client = Client()
    client.force_login(subscribed(make_plan(price_cents=1200), **row))
    assert config_of(client.get("/billing/").text)["planIsGiven"] is given


def test_the_page_after_a_checkout(browser: Client) -> None:
    config = config_of(browser.get("/billing/success/?session_id=cs_test_1").text)

    assert config["page"] == "success"
    assert "cs_test_1" not in json.dumps(config)


def test_the_configuration_cannot_end_its_block(browser: Client, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"SITE_NAME": "</script><script>alert(1)</script>"}

    page = browser.get("/billing/").text

    assert config_of(page)["siteName"] == "</script><script>alert(1)</script>"
    assert "<script>alert" not in page


def test_no_secret_and_no_id_of_stripe_is_on_the_page(browser: Client, user: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {
        "STRIPE_SECRET_KEY": "sk_test_" + "a" * 24,
        "STRIPE_WEBHOOK_SECRET": "whsec_" + "b" * 24,
        "HEALTH_TOKEN": "c" * 24,
    }
    subscribed(make_plan(), user, stripe_customer_id="cus_A1b2C3", stripe_subscription_id="sub_A1b2C3")

    for path in ("/billing/", "/billing/success/", "/account/"):
        page = browser.get(path).text
        assert leaks(page) == []
        assert "a" * 24 not in page
        assert "c" * 24 not in page
        assert user.email not in page


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/billing/", "/billing/"),
        ("/billing/success/?session_id=cs_1", "/billing/success/%3Fsession_id%3Dcs_1"),
    ],
)
def test_visitors_are_asked_to_log_in(client: Client, path: str, following: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={following}")


def test_a_head_request(browser: Client) -> None:
    answer = browser.head("/billing/")

    assert (answer.status_code, answer.content) == (200, b"")
    assert browser.post("/billing/").status_code == 405


def test_no_cache_keeps_a_page_with_a_token(browser: Client) -> None:
    answer = browser.get("/billing/")

    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert "Cookie" in answer["Vary"]


def test_in_japanese(browser: Client) -> None:
    page = browser.get("/billing/", headers={"accept-language": "ja"}).text

    assert '<html lang="ja">' in page
    assert "<title>プランとお支払い</title>" in page
    assert config_of(page)["language"] == "ja"
    assert "JavaScript が必要です" in page


def test_the_time_zone_of_the_moment(browser: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.deactivate()
    assert config_of(browser.get("/billing/").text)["timeZone"] == "Asia/Tokyo"

    with timezone.override(timezone.get_fixed_timezone(60)):  # browsers have no name for it
        assert config_of(browser.get("/billing/").text)["timeZone"] == "UTC"


# Its frame


def test_the_hosts_base_template(browser: Client, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"BASE_TEMPLATE": "host.html"}

    page = browser.get("/billing/").text

    assert "The host's own menu" in page
    assert "<title>Plan and billing | Host</title>" in page
    assert "standalone.css" not in page
    assert config_of(page)["billingUrl"] == "/billing/"


def test_without_javascript_the_page_says_what_to_do(browser: Client, settings: Any) -> None:
    def no_script() -> str:
        page = browser.get("/billing/").text
        return page.partition("<noscript>")[2].partition("</noscript>")[0]

    assert "Please switch it on" in no_script()

    settings.VIDEOQ_BILLING = {"NO_SCRIPT_URL": "account"}
    assert '<a href="/account/">Open the page that works without it</a>' in no_script()

    settings.VIDEOQ_BILLING = {"NO_SCRIPT_URL": "no-such-page"}
    assert "Please switch it on" in no_script()


def test_inside_a_page_of_the_hosts(browser: Client) -> None:
    page = browser.get("/account/").text
    config = config_of(page)

    assert (config["page"], config["billingUrl"], config["successUrl"]) == ("billing", *["/account/"] * 2)
    assert "main-B1.js" in page
    assert config_of(browser.get("/account/?session_id=cs_1").text)["page"] == "success"


def test_an_address_that_looks_like_another_site_is_none(user: Any, manifest: Path) -> None:
    request = RequestFactory().get("/")
    request.path = "//elsewhere.example/"

    config = embedded_in(request).config

    assert config["billingUrl"] == config["successUrl"] == "/%2Felsewhere.example/"


# Nonces


def page_of(request: HttpRequest, user: Any) -> str:
    request.user = user
    return billing(request).text


def test_the_nonce_of_django_csp(user: Any, manifest: Path) -> None:
    request = RequestFactory().get("/billing/")
    request.csp_nonce = "n0nce"  # type: ignore[attr-defined]

    page = page_of(request, user)

    with_nonce = [tag for name in ("script", "link") for tag in tags(page, name) if 'nonce="n0nce"' in tag]
    assert len(with_nonce) == 1 + 5
    assert '<meta property="csp-nonce" nonce="n0nce">' in page  # for what the front end loads later


@pytest.mark.skipif(django.VERSION < (6,), reason="Django has a policy of its own since 6.0.")
def test_the_nonce_of_django(browser: Client, settings: Any) -> None:
    from django.utils.csp import CSP  # type: ignore[import-not-found, unused-ignore]

    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]
    settings.SECURE_CSP = {"script-src": [CSP.NONCE]}

    answer = browser.get("/billing/")

    [nonce] = re.findall(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    assert f'src="/static/django_videoq_billing/page/assets/main-B1.js" nonce="{nonce}"' in answer.text


def test_without_a_policy_there_is_no_nonce(browser: Client) -> None:
    assert "nonce" not in browser.get("/billing/").text


# Where the site stands


def test_under_a_prefix(browser: Client, settings: Any) -> None:
    set_script_prefix("/shop/")  # as the handlers of WSGI and ASGI do
    settings.STATIC_URL = "static/"
    try:
        page = browser.get("/billing/").text
    finally:
        set_script_prefix("/")

    config = config_of(page)
    assert (config["apiUrl"], config["billingUrl"]) == ("/shop/api/", "/shop/billing/")
    assert 'src="/shop/static/django_videoq_billing/page/assets/main-B1.js"' in page


# What is missing


def test_a_missing_build_says_what_to_do(browser: Client, manifest: Path) -> None:
    manifest.unlink()

    with pytest.raises(ImproperlyConfigured, match=r"scripts\.frontend build"):
        browser.get("/billing/")


@pytest.mark.parametrize("content", ["", "{}", '{"src/main.tsx": {}}', "[1"])
def test_a_damaged_manifest_says_so(browser: Client, manifest: Path, content: str) -> None:
    manifest.write_text(content, encoding="utf-8")

    with pytest.raises(ImproperlyConfigured, match="missing or damaged"):
        browser.get("/billing/")


def test_what_is_built_anew_is_served_at_once(browser: Client, manifest: Path) -> None:
    assert "main-B1.js" in browser.get("/billing/").text
    entry = {**MANIFEST["src/main.tsx"], "file": "assets/main-B2.js"}
    before = manifest.stat().st_mtime_ns
    manifest.write_text(json.dumps({**MANIFEST, "src/main.tsx": entry}), encoding="utf-8")
    assert manifest.stat().st_mtime_ns != before

    assert "main-B2.js" in browser.get("/billing/").text


@pytest.mark.urls("tests.pages.urls_without_api")
def test_a_host_without_the_endpoints_is_told(browser: Client) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"include\(\"django_videoq_billing.urls\"\)"):
        browser.get("/billing/")
