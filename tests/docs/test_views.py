"""Each kind of view on docs/views.md lets as many requests pass as the plan has room for, and refuses the next."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.docs.pages import blocks_of
from tests.docs.running import Page
from tests.docs.visiting import as_view, get, post
from tests.factories import make_plan, subscribed

PAGE = "views.md"
# The kind, the number of its block, and what the block calls its view.
KINDS = [
    *(("function", 1, "upload"), ("async", 2, "upload"), ("class", 3, "Upload"), ("form", 4, "Upload")),
    *(("api_view", 5, "upload"), ("APIView", 6, "Upload"), ("ViewSet", 7, "Videos")),
]
EACH = pytest.mark.parametrize(
    ("number", "name"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS]
)


@pytest.fixture
def user(db: None) -> Any:
    return subscribed(make_plan(video_limit=3, transcription_limit_minutes=1))


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def view_of(number: int, name: str) -> Any:
    return as_view(Page(PAGE).run(number), name)


@EACH
def test_three_pass_and_the_fourth_is_refused(client: Client, user: Any, number: int, name: str) -> None:
    view = view_of(number, name)
    answers = [post(client, view, {"title": "A video"}) for _ in range(4)]
    assert [answer.status_code < 400 for answer in answers] == [True, True, True, False]
    assert answers[3].status_code == 403
    assert answers[3].json()["error"] == "limit_exceeded"
    assert UsageTracker.get_usage(user)["video_count"] == 3


@EACH
def test_nobody_passes_without_an_account(db: None, number: int, name: str) -> None:
    answer = post(Client(), view_of(number, name), {"title": "A video"})
    assert answer.status_code in (302, 401, 403)


@pytest.mark.parametrize(("number", "name"), [(3, "Upload"), (7, "Videos")])
def test_looking_costs_nothing(client: Client, user: Any, number: int, name: str) -> None:
    view = view_of(number, name)
    assert [get(client, view).status_code for _ in range(5)] == [200] * 5
    assert UsageTracker.get_usage(user)["video_count"] == 0


def test_a_form_with_errors_costs_nothing(client: Client, user: Any, settings: Any, tmp_path: Any) -> None:
    (tmp_path / "upload.html").write_text("{{ form.errors }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert post(client, view_of(4, "Upload"), {"title": ""}).status_code == 422
    assert UsageTracker.get_usage(user)["video_count"] == 0


def test_the_amount_of_the_request_counts(client: Client, user: Any) -> None:
    view = view_of(8, "upload")
    files = [SimpleUploadedFile(f"{name}.mp4", b"x") for name in "ab"]
    assert post(client, view, {"videos": files}).status_code == 201
    assert UsageTracker.get_usage(user)["video_count"] == 2
    assert post(client, view, {}).status_code == 400


def test_what_the_outer_metric_counted_is_given_back(client: Client, user: Any) -> None:
    view = view_of(9, "upload")
    assert post(client, view, {"seconds": 40}).status_code == 201
    assert post(client, view, {"seconds": 40}).status_code == 403
    assert UsageTracker.get_usage(user)["video_count"] == 1
    assert UsageTracker.get_usage(user)["transcription_seconds"] == 40


def test_a_page_of_ones_own_is_for_browsers(client: Client, user: Any) -> None:
    view = view_of(10, "upload")
    UsageTracker.count(user, "video", 3)
    page = post(client, view, accept="text/html")
    assert (page.status_code, page.content[:4]) == (402, b"<h1>")
    assert post(client, view, accept="application/json").json()["error"] == "limit_exceeded"


def test_every_block_of_the_page_is_one_of_these() -> None:
    assert len(blocks_of(PAGE, "python")) == 11, "a new kind of view needs its test"
