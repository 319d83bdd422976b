"""The page that shows a developer what the site has sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from django_videoq_billing.models import Notification
from django_videoq_billing.services import outbox
from django_videoq_billing.services.notifications import send_due
from tests.factories import subscribed
from tests.notifications.variants import standard

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


@pytest.fixture(autouse=True)
def _mail_in_files(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.DEBUG = True


@pytest.fixture
def sent(user: Any) -> Any:
    subscribed(standard(), user)
    outbox.add(Notification.Kind.UPGRADE_CONFIRMED, user.pk, "1", {"plan": "standard"})
    assert send_due() == 1
    return user


def test_an_empty_box(browser: Client) -> None:
    assert "No e-mails yet" in browser.get("/mail/").text


def test_a_letter(browser: Client, sent: Any) -> None:
    page = browser.get("/mail/").text
    assert 'href="/mail/1/"' in page
    assert sent.email in page
    page = browser.get("/mail/1/").text
    assert "<h1>Your plan is now Standard</h1>" in page
    assert "sandbox=" in page
    assert "See your plan: http://localhost:8000/billing/" in page
    assert browser.get("/mail/2/").status_code == 404


def test_the_footer_leads_there(browser: Client) -> None:
    assert 'href="/mail/"' in browser.get("/plans/").text


def test_only_for_developers(browser: Client, sent: Any, settings: Any) -> None:
    settings.DEBUG = False
    assert browser.get("/mail/").status_code == 404
    assert browser.get("/mail/1/").status_code == 404
    assert 'href="/mail/"' not in browser.get("/plans/").text


def test_who_signs_up_may_give_an_address(client: Client, django_user_model: Any) -> None:
    answers = {"username": "ada", "email": "ada@example.com"}
    words = {"password1": "an-engine-of-1843", "password2": "an-engine-of-1843"}
    client.post("/signup/", {**answers, **words})
    assert django_user_model.objects.get(username="ada").email == "ada@example.com"
