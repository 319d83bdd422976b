from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.usage_tracker import UsageTracker
from example_project.videos.models import Video
from tests.example.conftest import SAMPLES, UPLOAD, Upload, counted, other_browser
from tests.sandbox.driver import Driver

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


def test_a_new_user_signs_up_and_has_the_free_plan_at_once(client: Client) -> None:
    answers = {"username": "ada", "password1": "an-engine-of-1843", "password2": "an-engine-of-1843"}

    page = client.post("/signup/", answers, follow=True).content.decode()

    assert "No videos yet" in page
    assert "Free plan" in page
    assert "<b>0 of 3</b>" in page
    assert "<b>0 of 30</b>" in page


def test_a_sign_up_with_a_taken_name_says_so(client: Client, user: Any) -> None:
    page = client.post("/signup/", {"username": user.username, "password1": "x", "password2": "y"})

    assert page.status_code == 400
    assert "already exists" in page.content.decode()


def test_a_wrong_answer_has_the_focus(client: Client) -> None:
    answers = {"username": "ada", "password1": "an-engine-of-1843", "password2": "another"}

    page = client.post("/signup/", answers).content.decode()

    [focused] = [tag for tag in re.findall("<input[^>]*>", page) if "autofocus" in tag]
    assert 'name="password2"' in focused
    assert 'aria-invalid="true"' in focused
    assert "<title>Error: Sign up" in page


def test_log_in_and_out(client: Client, user: Any) -> None:
    user.set_password("correct horse")
    user.save()

    wrong = client.post("/login/", {"username": user.username, "password": "battery"})
    right = client.post("/login/", {"username": user.username, "password": "correct horse"}, follow=True)
    out = client.post("/logout/", follow=True)

    assert "correct username and password" in wrong.content.decode()
    assert user.username in right.content.decode()
    assert "Sign up for free" in out.content.decode()


@pytest.mark.parametrize("path", ["", "upload/", "{pk}/", "{pk}/content/", "{pk}/delete/"])
def test_anonymous_visitors_are_asked_to_log_in(path: str, upload: Upload, client: Client) -> None:
    upload()
    client.logout()
    path = f"/videos/{path.format(pk=Video.objects.get().pk)}"

    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


def test_an_anonymous_upload_is_sent_to_log_in(client: Client) -> None:
    with (SAMPLES / "jingle.wav").open("rb") as file:
        answer = client.post(UPLOAD, {"file": file})

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={UPLOAD}")
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("get", "content/"), ("get", "delete/"), ("post", "delete/"), ("post", "transcribe/")],
)
def test_another_users_video_does_not_exist(method: str, path: str, upload: Upload) -> None:
    upload("talk.mp4")
    video = Video.objects.get()
    stranger = other_browser()

    assert getattr(stranger, method)(f"/videos/{video.pk}/{path}").status_code == 404
    assert "talk" not in stranger.get("/videos/").content.decode()
    assert Video.objects.filter(pk=video.pk).exists()


def test_deleting_removes_the_file_and_keeps_the_usage(
    upload: Upload,
    browser: Client,
    user: Any,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    upload("talk.mp4")
    path = f"/videos/{Video.objects.get().pk}/delete/"
    assert "stays counted" in browser.get(path).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        page = browser.post(path, follow=True).content.decode()

    assert "Its usage stays counted." in page
    assert "No videos yet" in page
    assert "1 of 3" in page
    assert counted(user) == (1, 12)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_the_owner_plays_the_file_back(upload: Upload, browser: Client) -> None:
    upload("talk.mp4", title="<b>My talk</b>")
    video = Video.objects.get()

    page = browser.get(f"/videos/{video.pk}/").content.decode()
    answer = browser.get(f"/videos/{video.pk}/content/")

    assert "&lt;b&gt;My talk" in page
    assert "<video controls" in page
    assert answer["Content-Type"] == "video/mp4"
    assert b"".join(answer.streaming_content) == (SAMPLES / "talk.mp4").read_bytes()  # type: ignore[attr-defined]


def test_warnings_and_overage_are_shown(browser: Client, user: Any) -> None:
    UsageTracker.increment_transcription_seconds(user, 25 * 60)
    assert "At least 80 % is used." in browser.get("/videos/").content.decode()

    UsageTracker.increment_transcription_seconds(user, 2 * 60)
    assert "At least 90 % is used." in browser.get("/videos/").content.decode()

    UsageTracker.increment_transcription_seconds(user, 5 * 60)
    page = browser.get("/videos/").content.decode()
    assert "The limit is reached." in page
    assert "2 minutes more than the plan has." in page


def test_the_plans_page_marks_the_current_plan(browser: Client, user: Any) -> None:
    assert browser.get("/plans/").status_code == 200
    call_command("seed_plans", verbosity=0)
    assign_plan(user, SubscriptionPlan.objects.get(slug="premium"))

    page = browser.get("/plans/").content.decode()

    assert page.index("Premium") < page.index("Your plan") < page.index("$49.00")
    assert "Unlimited videos" in page
    assert "not connected to Stripe" in page
    assert "Choose" not in page
    assert "no limit" in browser.get("/videos/").content.decode()


def test_plans_are_shown_to_visitors_and_before_any_were_set_up(client: Client) -> None:
    assert "No plans yet" in client.get("/plans/").content.decode()


def test_the_language_can_be_switched(browser: Client, upload: Upload) -> None:
    upload("talk.mp4")

    page = browser.post(
        "/i18n/setlang/", {"language": "ja", "next": "/videos/"}, follow=True
    ).content.decode()

    assert '<html lang="ja">' in page
    assert "マイ動画" in page
    assert "12 秒を加算" in page
    assert "ファイルが空です。" in upload("broken/empty.mp4").content.decode()


def test_setup_demo_makes_users_who_can_log_in_and_runs_twice(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    for _ in range(2):
        call_command("setup_demo", verbosity=0, stdout=StringIO())

    users = get_user_model().objects
    assert {user.username: user.subscription.plan.slug for user in users.all()} == {
        "demo": "free",
        "pro": "standard",
        "admin": "premium",
    }
    assert users.get(is_superuser=True).username == "admin"
    assert client.login(username="demo", password="demo-password")


def test_setup_demo_lets_one_user_pay_at_the_sandbox(sandbox: Driver, settings: Any, client: Client) -> None:
    settings.DEBUG = settings.STRIPE_SANDBOX = True
    for _ in range(2):
        call_command("setup_demo", verbosity=0, stdout=StringIO())

    [subscription] = sandbox.api.subscriptions.list().data
    pro = get_user_model().objects.get(username="pro").subscription
    assert (pro.plan.slug, pro.stripe_subscription_id) == ("standard", subscription.id)
    assert client.login(username="pro", password="demo-password")
    assert "Manage payment" in client.get("/billing/plain/").content.decode()


def test_setup_demo_refuses_a_real_site() -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("setup_demo")
    assert not get_user_model().objects.exists()
