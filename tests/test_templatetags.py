"""`{% usage_of %}`, `{% usage_panel %}` and the `billing_usage` of the context processor."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import translation

from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_plan, make_user, subscribed

LOAD = "{% load videoq_billing %}"
PANEL = LOAD + "{% usage_panel %}"
COUNT = LOAD + "{% usage_of user as usage %}{{ usage.counters.video_count }}"


def request_of(user: Any) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def rendered(source: str, user: Any, **context: Any) -> str:
    request = request_of(user)
    return Template(source).render(RequestContext(request, {"user": user, **context}))


def words(page: str) -> str:
    """What a reader sees: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def meters(page: str) -> list[str]:
    return re.findall(r'<meter [^>]*value="([^"]*)"', page)


def test_usage_of_a_user(user: Any) -> None:
    UsageTracker.increment_video_count(user, 2)
    assert rendered(COUNT, user) == "2"


def test_usage_of_another_user_than_the_one_who_looks(user: Any) -> None:
    other = make_user()
    UsageTracker.increment_video_count(other, 2)
    page = LOAD + "{% usage_of other as usage %}{{ usage.counters.video_count }}"
    assert rendered(page, user, other=other) == "2"


@pytest.mark.parametrize("nobody", [AnonymousUser(), None])
def test_usage_of_nobody_is_none(nobody: Any) -> None:
    page = LOAD + "{% usage_of user as usage %}{% if usage is None %}nothing{% endif %}"
    assert rendered(page, nobody) == "nothing"


def test_usage_of_an_inactive_user_is_none(db: None) -> None:
    page = LOAD + "{% usage_of user as usage %}{% if usage is None %}nothing{% endif %}"
    assert rendered(page, make_user(is_active=False)) == "nothing"


def test_the_panel_shows_both_metrics_beside_their_limits(user: Any) -> None:
    UsageTracker.increment_video_count(user, 1)
    UsageTracker.increment_transcription_seconds(user, 450)
    page = rendered(PANEL, user)
    assert "Videos 1 / 3" in words(page)
    assert "Transcription minutes 7.5 / 30" in words(page)
    assert "Your usage starts again on" in words(page)
    assert meters(page) == ["33.3", "25.0"]
    assert '<a href="/plans/">See the plans</a>' in page


def test_the_panel_of_nobody_is_empty(db: None) -> None:
    assert rendered(PANEL, AnonymousUser()).strip() == ""
    assert rendered(PANEL, make_user(is_active=False)).strip() == ""


def test_what_is_unlimited_has_no_meter(db: None) -> None:
    user = subscribed(make_plan(video_limit=None, transcription_limit_minutes=None))
    UsageTracker.increment_video_count(user, 12)
    page = rendered(PANEL, user)
    assert "Videos 12 (unlimited)" in words(page)
    assert meters(page) == []


def test_at_the_limit_the_meter_is_full(user: Any) -> None:
    UsageTracker.increment_video_count(user, 3)
    page = rendered(PANEL, user)
    assert "Videos 3 / 3" in words(page)
    assert meters(page)[0] == "100.0"


def test_past_the_limit_the_figures_stay_true(user: Any) -> None:
    UsageTracker.increment_video_count(user, 6)
    page = rendered(PANEL, user)
    assert "Videos 6 / 3" in words(page)
    assert meters(page)[0] == "200.0"


def test_a_limit_of_zero_is_reached_from_the_start(db: None) -> None:
    page = rendered(PANEL, subscribed(make_plan(video_limit=0)))
    assert "Videos 0 / 0" in words(page)
    assert meters(page)[0] == "100.0"


@pytest.mark.parametrize("language", ["en", "ja", "de", "fr"])
def test_a_meter_is_a_number_in_every_language(user: Any, language: str) -> None:
    UsageTracker.increment_video_count(user, 1)
    with translation.override(language):
        assert meters(rendered(PANEL, user)) == ["33.3", "0.0"]


def test_a_meter_has_the_name_of_what_it_measures(user: Any) -> None:
    names = re.findall(r'<meter aria-label="([^"]+)"', rendered(PANEL, user))
    assert names == ["Videos", "Transcription minutes"]


def test_without_an_upgrade_page_the_panel_has_no_link(settings: Any, user: Any) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": ""}
    assert "<a " not in rendered(PANEL, user)


def test_the_upgrade_page_is_written_as_text(settings: Any, user: Any) -> None:
    settings.VIDEOQ_BILLING = {"UPGRADE_URL": '/plans/"><script>'}
    assert "<script>" not in rendered(PANEL, user)


def test_billing_usage_is_there_for_every_template(user: Any) -> None:
    UsageTracker.increment_video_count(user, 2)
    assert rendered("{{ billing_usage.counters.video_count }}/{{ billing_usage.video_limit }}", user) == "2/3"


@pytest.mark.parametrize("nobody", [AnonymousUser(), None])
def test_billing_usage_of_nobody_is_false(nobody: Any) -> None:
    page = "{% if billing_usage %}something{% else %}nothing{% endif %}{{ billing_usage.video_limit }}"
    assert rendered(page, nobody) == "nothing"


def test_billing_usage_costs_nothing_on_a_page_that_does_not_read_it(
    user: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert rendered("Hello", user) == "Hello"


def test_billing_usage_is_asked_for_once_however_often_it_is_read(
    plan: Any, django_assert_max_num_queries: Any
) -> None:
    user = subscribed(plan)
    with django_assert_max_num_queries(2):  # subscription and record
        assert rendered("{{ billing_usage.video_limit }}" * 5, user) == "55555"


@pytest.mark.parametrize("template", ["{% usage_of missing as usage %}{{ usage }}", "{% usage_panel %}"])
def test_a_page_without_user_or_request_shows_nothing(template: str) -> None:
    shown = Template("{% load videoq_billing %}" + template).render(Context({})).strip()

    assert shown in ("", "None")
