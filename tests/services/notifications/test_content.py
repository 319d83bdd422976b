"""What holds for every e-mail: languages, links, escaping, overriding."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone, translation

from django_videoq_billing.models import (
    EmailPreference,
    Notification,
    SubscriptionPlan,
    UserSubscription,
)
from django_videoq_billing.services.notifications import language_of, remember_language, send_due
from tests.factories import make_user
from tests.notifications import variants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("billing", "clock")]


def sent(row: Notification) -> Any:
    row.save()
    send_due()
    [message] = mail.outbox
    return message


def html(message: Any) -> str:
    return str(message.alternatives[0][0])


# Language


def german(user: User) -> str:
    return "de"


def japanese(user: User) -> str:
    return "ja-JP"


@pytest.mark.parametrize(
    ("used_last", "path", "default", "language"),
    [
        ("", "", "en", "en"),
        ("", "", "ja", "ja"),
        ("ja", "", "en", "ja"),
        ("xx", "", "en", "en"),
        ("en", f"{__name__}.japanese", "en", "ja"),
        ("ja", f"{__name__}.german", "en", "ja"),
    ],
)
def test_whose_word_counts(used_last: str, path: str, default: str, language: str, settings: Any) -> None:
    settings.LANGUAGE_CODE = default
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "USER_LANGUAGE": path}
    user = make_user()
    EmailPreference.objects.create(user=user, language=used_last)
    assert language_of(user) == language


def test_the_mail_is_in_the_language_of_the_user_and_not_of_the_request() -> None:
    row = variants.upgrade()
    EmailPreference.objects.create(user=row.user, language="ja")
    message = sent(row)
    assert message.subject == "プランが Standard になりました"
    assert '<html lang="ja">' in html(message)
    assert translation.get_language() == "en"


def test_only_news_about_the_language_are_written(django_assert_num_queries: Any) -> None:
    user = make_user()
    with translation.override("en"):
        remember_language(user)
    assert not EmailPreference.objects.exists(), "it is the site's own"
    with translation.override("ja"):
        remember_language(user)
        with django_assert_num_queries(1):
            remember_language(user)
    assert EmailPreference.objects.get().language == "ja"
    with translation.override("en"):
        remember_language(user)
    assert EmailPreference.objects.get().language == "en"


# Dates


def test_dates_are_the_sites(settings: Any) -> None:
    """Whatever time zone the request has that happens to send it."""
    settings.TIME_ZONE = "Asia/Tokyo"
    row = variants.cancellation()
    row.facts = {"at": (variants.PERIOD_END - timedelta(hours=1)).isoformat()}
    with timezone.override("America/New_York"):
        assert sent(row).subject == "Standard ends on April 1, 2026"


# Links


@pytest.mark.parametrize(
    ("site", "there", "not_there"),
    [
        ({"SITE_URL": ""}, "Your plan is now", "http"),
        (
            {"SITE_URL": "", "BILLING_URL": "https://elsewhere.example/me"},
            "https://elsewhere.example/me",
            "unsubscribe",
        ),
        ({"BILLING_URL": "videoq_billing:plans"}, "https://videos.example.com/api/billing/plans", "//api"),
        ({"BILLING_URL": ""}, "https://videos.example.com/plans/", "/billing/ "),
        ({"BILLING_URL": "no:such"}, "Your plan is now", "no:such"),
    ],
)
def test_links(site: dict[str, str], there: str, not_there: str, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **site}
    message = sent(variants.upgrade())
    for text in (f"{message.subject}\n{message.body}", html(message)):
        assert there in text
        assert not_there not in text


@pytest.mark.urls("tests.services.notifications.no_urls")
def test_a_host_without_our_addresses() -> None:
    message = sent(variants.upgrade())
    assert "unsubscribe" not in message.body
    assert "List-Unsubscribe" not in message.extra_headers


# Escaping


def test_html_is_escaped_and_text_is_not() -> None:
    row = variants.upgrade()
    User.objects.filter(pk=row.user_id).update(first_name="<b>Ada</b> & Co")
    SubscriptionPlan.objects.filter(slug="standard").update(name="R&D <3")
    message = sent(row)
    assert message.subject == "Your plan is now R&D <3"
    assert "Hello <b>Ada</b> & Co," in message.body
    assert "R&amp;D &lt;3" in html(message)
    assert "<b>Ada" not in html(message)


def test_a_subject_is_one_line() -> None:
    row = variants.upgrade()
    SubscriptionPlan.objects.filter(slug="standard").update(name="Big\r\nBcc: all@example.com")
    message = sent(row)
    assert message.subject == "Your plan is now Big Bcc: all@example.com"
    assert message.message()["Bcc"] is None


def test_a_trial_that_is_over_is_no_news() -> None:
    message = sent(variants.upgrade(trial_end=timezone.now() - timedelta(days=9)))
    assert "You try it" not in message.body
    assert "First payment" not in message.body


def test_what_holds_after_the_end_is_the_plan_that_support_has_given() -> None:
    row = variants.ended()
    given = {"plan": variants.premium(), "status": "active", "stripe_subscription_id": None}
    UserSubscription.objects.filter(user=row.user_id).update(**given)
    assert "Now the limits of Premium apply" in sent(row).body


def test_what_holds_after_the_end_is_the_default_plan_where_the_row_is_gone() -> None:
    row = variants.ended()
    UserSubscription.objects.all().delete()
    assert "Now the limits of Free apply" in sent(row).body


def test_a_user_without_a_first_name() -> None:
    row = variants.upgrade()
    User.objects.filter(pk=row.user_id).update(first_name="")
    assert sent(row).body.startswith("Hello ada,")


# Overriding


def test_what_every_template_has(settings: Any, tmp_path: Any) -> None:
    """As the page about e-mails lists it."""
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "SITE_NAME": ""}
    folder = tmp_path / "django_videoq_billing/emails/upgrade_confirmed"
    folder.mkdir(parents=True)
    names = ("user.username", "name", "site_name", "site_url", "billing_url", "upgrade_url", "subject")
    (folder / "body.txt").write_text("\n".join(f"{{{{ {name} }}}}" for name in names))
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert sent(variants.upgrade()).body.split("\n") == [
        "ada",
        "Ada",
        "videos.example.com",
        "https://videos.example.com",
        "https://videos.example.com/billing/",
        "https://videos.example.com/plans/",
        "Your plan is now Standard",
        "",
    ]


def test_a_host_overrides_one_text_and_the_frame(settings: Any, tmp_path: Any) -> None:
    folder = tmp_path / "django_videoq_billing/emails"
    (folder / "upgrade_confirmed").mkdir(parents=True)
    (folder / "upgrade_confirmed/subject.txt").write_text("Welcome to {{ plan.name }}\n")
    (folder / "base.txt").write_text("OUR SHOP\n{% block content %}{% endblock %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    message = sent(variants.upgrade())
    assert message.subject == "Welcome to Standard"
    assert message.body.startswith("OUR SHOP")
    assert "Thank you." in message.body
