"""What stands around the billing page: the site's frame, its policy, settings, and the upload that asks first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.example.conftest import UPLOAD
from tests.example.shop import Shop
from tests.pages.conftest import config_of, manifest

__all__ = ["manifest"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


def test_the_billing_page_stands_in_the_sites_frame(browser: Client, manifest: Path) -> None:
    page = browser.get("/billing/").text

    assert '<nav aria-label="Main">' in page
    assert "<title>Plan and billing · VideoQ</title>" in page
    assert config_of(page)["siteName"] == "VideoQ"
    assert '<a href="/billing/plain/">Open the page that works without it</a>' in page


def test_after_a_checkout_people_come_to_its_success_page(shop: Shop, manifest: Path) -> None:
    plans = shop.client.get("/api/billing/plans").json()
    standard = next(plan["id"] for plan in plans if plan["slug"] == "standard")

    answer = shop.client.post(
        "/api/billing/subscription/checkout", {"plan_id": standard}, content_type="application/json"
    ).json()
    paid = shop.sandbox.control(f"checkout/{answer['session_id']}/pay", card="4242424242424242")

    assert paid["success_url"] == f"http://testserver/billing/success/?session_id={answer['session_id']}"
    assert config_of(shop.page(paid["success_url"].removeprefix("http://testserver")))["page"] == "success"


@pytest.mark.parametrize(
    "path",
    ["/", "/videos/", UPLOAD, "/plans/", "/settings/", "/billing/", "/billing/plain/", "/no-such-page/"],
)
def test_every_page_keeps_the_strict_policy(path: str, browser: Client, manifest: Path) -> None:
    answer = browser.get(path, follow=True)

    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    for script in re.findall(r"<script\b[^>]*>", answer.text):
        assert "src=" in script or "application/json" in script
    assert "<style" not in answer.text
    assert not re.search(r"<[^>]* (style|on\w+)=", answer.text)


def test_an_upload_can_ask_before_it_sends(browser: Client) -> None:
    page = browser.get(UPLOAD).text

    assert 'data-check="/api/billing/usage/check"' in page
    assert '<script src="/static/videos/upload.js" defer></script>' in page


def test_settings_show_usage_and_keep_the_address(browser: Client, user: User) -> None:
    page = browser.get("/settings/").text
    assert f'value="{user.email}"' in page
    assert page.count("<meter ") == 2

    page = browser.post("/settings/", {"email": "ada@example.org"}, follow=True).text
    assert "Your settings were saved." in page
    user.refresh_from_db()
    assert user.email == "ada@example.org"


def test_settings_with_a_wrong_address(browser: Client, user: User) -> None:
    answer = browser.post("/settings/", {"email": "ada"})

    assert answer.status_code == 400
    assert "Enter a valid email address." in answer.text
    user.refresh_from_db()
    assert user.email != "ada"


def test_a_letter_may_have_the_styles_that_e_mails_need(
    browser: Client, settings: Any, tmp_path: Path
) -> None:
    from django.core.mail import EmailMultiAlternatives

    settings.DEBUG = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    letter = EmailMultiAlternatives("Hello", "Hello", to=["ada@example.org"])
    letter.attach_alternative("<html><head></head><p style='color: red'>Hello</p></html>", "text/html")
    letter.send()

    policy = browser.get("/mail/1/")["Content-Security-Policy"]

    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src" not in policy


def test_djangos_own_pages_about_errors_are_readable_while_developing(browser: Client, settings: Any) -> None:
    settings.DEBUG = True

    answer = browser.get("/no-such-page/")

    assert answer.status_code == 404
    assert "<style" in answer.text
    assert "Content-Security-Policy" not in answer
