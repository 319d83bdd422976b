"""`{% usage_meter %}` and `{% billing_page %}` in the templates of a host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, subscribed
from tests.pages.conftest import config_of, tags
from tests.test_templatetags import LOAD, meters, rendered, words

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pages.urls")]

METER = LOAD + "{% usage_meter %}"


def levels(page: str) -> list[str]:
    return re.findall(r'class="vqb-meter vqb-(\w+)"', page)


def test_a_meter_for_each_metric(user: Any) -> None:
    UsageTracker.increment_video_count(user, 1)
    UsageTracker.increment_transcription_seconds(user, 450)

    page = rendered(METER, user)

    assert words(page) == "Videos 1 / 3 33.3 % Transcription minutes 7.5 / 30 25.0 %"
    assert meters(page) == ["33.3", "25.0"]
    assert levels(page) == ["calm", "calm"]


@pytest.mark.parametrize(
    ("metric", "label"), [("video", "Videos"), ("transcription", "Transcription minutes")]
)
def test_one_metric_alone(user: Any, metric: str, label: str) -> None:
    page = rendered(LOAD + f'{{% usage_meter "{metric}" %}}', user)

    assert re.findall(r'aria-label="([^"]+)"', page) == [label]
    assert page == rendered(LOAD + f'{{% usage_meter metric="{metric}" %}}', user)


def test_a_panel_of_one_metric(user: Any) -> None:
    page = rendered(LOAD + '{% usage_panel "video" %}', user)

    assert re.findall(r'aria-label="([^"]+)"', page) == ["Usage", "Videos"]
    assert "Your usage starts again on" in words(page)


@pytest.mark.parametrize("tag", ["usage_meter", "usage_panel"])
def test_a_metric_that_is_none_says_which_there_are(user: Any, tag: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="know 'video' or 'transcription', not 'videos'"):
        rendered(LOAD + f'{{% {tag} "videos" %}}', user)


def test_thresholds_are_told_in_words_and_not_by_colour_alone(user: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": "/plans/"}
    UsageTracker.increment_transcription_seconds(user, 25 * 60)
    page = rendered(METER, user)
    assert levels(page) == ["calm", "high"]
    assert "At least 80 % is used." in words(page)
    assert "<a " not in page

    UsageTracker.increment_transcription_seconds(user, 10 * 60)
    page = rendered(METER, user)
    assert levels(page) == ["calm", "full"]
    assert "35 / 30" in words(page)
    assert 'The limit is reached. <a href="/plans/">See the plans</a>' in page


def test_a_full_meter_is_red_whatever_the_host_warns_at(user: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"WARNING_THRESHOLDS": []}
    UsageTracker.increment_video_count(user, 3)
    assert levels(rendered(METER, user)) == ["full", "calm"]


def test_the_way_to_more_is_this_packages_page_where_nothing_else_is_said(user: Any, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {}
    UsageTracker.increment_video_count(user, 3)
    assert '<a href="/billing/">See the plans</a>' in rendered(METER, user)


def test_what_is_unlimited_has_figures_alone(user: Any) -> None:
    subscribed(make_plan(video_limit=None, transcription_limit_minutes=None), user)
    page = rendered(METER, user)
    assert words(page) == "Videos 0 (unlimited) Transcription minutes 0 (unlimited)"
    assert meters(page) == []


def test_numbers_are_the_languages(user: Any) -> None:
    subscribed(make_plan(video_limit=12000), user)
    with translation.override("ja"):
        page = rendered(METER, user)
    assert meters(page) == ["0.0", "0.0"]
    assert "動画" in page


def test_nobody_has_no_meter() -> None:
    assert rendered(METER, AnonymousUser()).strip() == ""
    assert Template(METER).render(Context({})).strip() == ""


def test_no_script_and_no_style_of_its_own(user: Any) -> None:
    page = rendered(METER, user)
    assert "<script" not in page
    assert "style=" not in page
    assert tags(page, "link") == ['<link rel="stylesheet" href="/static/django_videoq_billing/meter.css">']


def test_its_style_sheet_has_the_nonce(user: Any) -> None:
    request = RequestFactory().get("/")
    request.user = user
    request.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    page = Template(METER).render(RequestContext(request))
    assert tags(page, "link")[0].endswith('meter.css" nonce="n0nce">')


def test_the_whole_page_without_a_request_says_what_is_missing(manifest: Path) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"context_processors\.request"):
        Template(LOAD + "{% billing_page %}").render(Context({}))


def test_a_page_of_the_hosts_own_around_the_packages_views(user: Any, manifest: Path, settings: Any) -> None:
    """Where a host overrides billing_page.html, the tag gives what the view has prepared."""
    page = "{% load videoq_billing %}<aside>mine</aside>{% billing_page %}"
    settings.TEMPLATES = [
        {
            **settings.TEMPLATES[0],
            "APP_DIRS": False,
            "OPTIONS": {
                **settings.TEMPLATES[0]["OPTIONS"],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"django_videoq_billing/billing_page.html": page},
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ]
    from django.test import Client

    client = Client()
    client.force_login(user)
    answer = client.get("/billing/success/").text

    assert answer.startswith("<aside>mine</aside>")
    assert config_of(answer)["page"] == "success"
    assert config_of(answer)["billingUrl"] == "/billing/"
