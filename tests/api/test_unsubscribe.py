"""The link in an e-mail: no more of its kind, without a login."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import EmailPreference
from django_videoq_billing.services.notifications.unsubscribing import token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    """Nobody is signed in, and forms are checked as they are in production."""
    return Client(enforce_csrf_checks=True)


def page_for(user: Any, kind: str = "usage_warning") -> str:
    return reverse("videoq_billing:unsubscribe", args=[token_for(user.pk, kind)])


def unwanted(user: Any) -> list[str]:
    preference = EmailPreference.objects.filter(user=user).first()
    return list(preference.unsubscribed) if preference else []


def test_looking_changes_nothing(visitor: Client, user: Any) -> None:
    """Mail programs and virus scanners open links."""
    answer = visitor.get(page_for(user))
    assert answer.status_code == 200
    assert "No more of these e-mails?" in answer.text
    assert unwanted(user) == []
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_the_button_and_back_again(visitor: Client, user: Any) -> None:
    answer = visitor.post(page_for(user))
    assert (answer.status_code, unwanted(user)) == (200, ["usage_warning"])
    assert "You get no more of these e-mails" in answer.text
    assert "Subscribe again" in visitor.get(page_for(user)).text
    answer = visitor.post(page_for(user), {"wanted": "1"})
    assert "You get these e-mails again" in answer.text
    assert unwanted(user) == []


def test_one_click(visitor: Client, user: Any) -> None:
    """RFC 8058: a POST of the mail program, without cookies, that is not redirected."""
    for _ in range(2):
        answer = visitor.post(page_for(user), {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, unwanted(user)) == (200, ["usage_warning"])


def test_kinds_are_left_one_by_one(visitor: Client, user: Any) -> None:
    for kind in ("usage_warning", "reactivated", "upgrade_confirmed"):
        visitor.post(page_for(user, kind))
    visitor.post(page_for(user, "reactivated"), {"wanted": "1"})
    assert unwanted(user) == ["usage_warning", "upgrade_confirmed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: "x" + token,
        lambda token: token_for(10**9, "usage_warning"),
        lambda token: token_for("none", "usage_warning"),
        lambda token: token_for(1, "refund"),
        lambda token: token_for(1, "no_such_kind"),
        lambda token: "no-token",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_not_ours(visitor: Client, user: Any, change: Any, method: str) -> None:
    token = change(token_for(user.pk, "usage_warning"))
    answer = getattr(visitor, method)(reverse("videoq_billing:unsubscribe", args=[token]))
    assert answer.status_code == 404
    assert "This link is not valid" in answer.text
    assert not EmailPreference.objects.exists()


def test_in_the_language_of_the_mail(visitor: Client, user: Any) -> None:
    EmailPreference.objects.create(user=user, language="ja")
    answer = visitor.get(page_for(user), headers={"accept-language": "en"})
    assert '<html lang="ja">' in answer.text
    assert "配信を停止する" in answer.text


def test_an_old_secret_still_opens_it(visitor: Client, user: Any, settings: Any) -> None:
    page = page_for(user)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    assert visitor.get(page).status_code == 200


def test_only_get_and_post(visitor: Client, user: Any) -> None:
    assert visitor.put(page_for(user)).status_code == 405
