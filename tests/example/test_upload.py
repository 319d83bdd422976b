from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from django_videoq_billing.models import SubscriptionPlan, TranscriptionJob
from django_videoq_billing.services import transcription
from django_videoq_billing.services.subscriptions import assign_plan
from example_project.videos import views
from example_project.videos.models import Video
from example_project.videos.transcriber import LONGEST_RUN
from tests.example.conftest import BROKEN, SAMPLES, UPLOAD, Upload, counted

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]

SECONDS = {
    "talk.mp4": 12,
    "screencast.webm": 8,
    "interview.mp3": 95,
    "memo.m4a": 31,
    "jingle.wav": 3,
    "lecture.ogg": 20,
    "chime.flac": 6,
}


def twenty_hours() -> bytes:
    """A FLAC file whose header claims the greatest number of samples it can."""
    content = bytearray((SAMPLES / "chime.flac").read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    return bytes(content)


def photo() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + bytes(200)


def test_every_sample_is_listed_here() -> None:
    assert {path.name for path in SAMPLES.iterdir() if path.is_file()} == set(SECONDS)


@pytest.mark.parametrize(("name", "seconds"), SECONDS.items())
def test_the_real_duration_is_counted_rounded_up(name: str, seconds: int, upload: Upload, user: Any) -> None:
    page = upload(name).content.decode()

    assert counted(user) == (1, seconds)
    assert f"{seconds} seconds counted" in page
    assert f"{seconds // 60}:{seconds % 60:02}" in page
    assert Path(name).stem in page


def test_three_uploads_pass_and_the_fourth_is_refused(upload: Upload, user: Any) -> None:
    for done in (1, 2, 3):
        assert f"{done} of 3" in upload().content.decode()

    refused = upload("talk.mp4")

    assert refused.status_code == 403
    assert "Video limit reached (3/3)" in refused.content.decode()
    assert 'href="/billing/"' in refused.content.decode()
    assert counted(user) == (3, 9)
    assert Video.objects.count() == 3


def test_at_the_limit_the_page_says_so_before_anything_is_sent(upload: Upload, browser: Client) -> None:
    assert 'type="file"' in browser.get(UPLOAD).content.decode()
    for _ in range(3):
        upload()

    page = browser.get(UPLOAD)

    assert page.status_code == 200
    assert "Video limit reached (3/3)" in page.content.decode()
    assert 'type="file"' not in page.content.decode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.mp4", None, "This file is empty."),
        ("truncated.mp4", None, "incomplete or damaged"),
        ("not-media.mp4", None, "not a video or audio file"),
        ("zero-seconds.wav", None, "0 seconds long"),
        ("playlist.mp4", None, "not a video or audio file"),
        ("photo.mp4", photo(), "not a video or audio file"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n", "not a video or audio file"),
        ("no-index.mp4", (SAMPLES / "memo.m4a").read_bytes()[:3000], "incomplete or damaged"),
        ("text.mp3", b"This is a letter.\n" * 500, "not a video or audio file"),
        ("endless.flac", twenty_hours(), "longer than 12 hours"),
    ],
)
def test_a_bad_file_is_refused_and_costs_nothing(
    name: str, content: bytes | None, message: str, upload: Upload, user: Any, tmp_path: Path
) -> None:
    page = upload(BROKEN / name, content)

    assert page.status_code == 400
    assert message in page.content.decode()
    assert counted(user) == (0, 0)
    assert not Video.objects.exists()
    assert not any(tmp_path.iterdir())


def test_a_large_file_is_refused_and_costs_nothing(upload: Upload, user: Any, settings: Any) -> None:
    settings.VIDEOQ_MAX_UPLOAD_BYTES = 1024 * 1024

    page = upload(content=(SAMPLES / "talk.mp4").read_bytes() + bytes(2 * 1024 * 1024))

    assert page.status_code == 413
    assert "larger than 1 MB" in page.content.decode()
    assert counted(user) == (0, 0)
    assert not Video.objects.exists()


def test_no_file_at_all(browser: Client, user: Any) -> None:
    page = browser.post(UPLOAD, {"title": "Nothing"})

    assert page.status_code == 400
    assert "Choose a file first." in page.content.decode()
    assert 'value="Nothing"' in page.content.decode()
    assert counted(user) == (0, 0)


def test_a_failure_of_the_site_costs_nothing(
    upload: Upload, browser: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Video, "save", lambda *args, **kwargs: 1 / 0)
    browser.raise_request_exception = False

    assert upload().status_code == 500
    assert counted(user) == (0, 0)


def test_a_video_whose_transcription_does_not_fit_stays_and_is_transcribed_after_an_upgrade(
    upload: Upload, browser: Client, user: Any
) -> None:
    call_command("seed_plans", verbosity=0)
    SubscriptionPlan.objects.filter(slug="free").update(transcription_limit_minutes=1)

    page = upload("interview.mp3").content.decode()

    assert "Transcription limit reached" in page
    assert "Not transcribed: limit reached" in page
    assert counted(user) == (1, 0)

    video = Video.objects.get()
    again = browser.post(f"/videos/{video.pk}/transcribe/", follow=True).content.decode()
    assert "Transcription limit reached" in again
    assert counted(user) == (1, 0)

    assign_plan(user, SubscriptionPlan.objects.get(slug="standard"))
    assert "Not transcribed yet" in browser.get("/videos/").content.decode()
    assert (
        "95 seconds counted" in browser.post(f"/videos/{video.pk}/transcribe/", follow=True).content.decode()
    )
    assert counted(user) == (1, 95)


def test_what_the_header_says_is_only_the_estimate(upload: Upload, browser: Client, user: Any) -> None:
    upload("talk.mp4")
    job = TranscriptionJob.objects.get()
    TranscriptionJob.objects.all().delete()
    Video.objects.update(declared_seconds=300)

    browser.post(f"/videos/{job.object_id}/transcribe/")

    again = TranscriptionJob.objects.get()
    assert (again.estimated_seconds, again.duration_seconds) == (300, 12)
    assert counted(user) == (1, 12 + 12)


def test_a_transcribed_video_is_not_counted_twice(upload: Upload, browser: Client, user: Any) -> None:
    upload()

    page = browser.post(f"/videos/{Video.objects.get().pk}/transcribe/", follow=True)

    assert "already being transcribed, or has been" in page.content.decode()
    assert counted(user) == (1, 3)


def test_a_file_that_is_lost_before_its_transcription_fails_and_costs_no_seconds(
    upload: Upload, browser: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_the_file(request: Any, video: Video) -> None:
        Path(video.file.path).unlink()
        transcribe_and_tell(request, video)

    transcribe_and_tell = views.transcribe_and_tell
    monkeypatch.setattr(views, "transcribe_and_tell", forget_the_file)

    page = upload().content.decode()

    assert "The file could not be read." in page
    assert "Transcription failed" in page
    assert "Try again" in page
    assert counted(user) == (1, 0)
    assert browser.get(f"/videos/{Video.objects.get().pk}/content/").status_code == 404


def test_a_transcription_whose_process_died_can_be_tried_again(
    upload: Upload, browser: Client, user: Any, time_machine: Any
) -> None:
    upload()
    video = Video.objects.get()
    TranscriptionJob.objects.all().delete()
    transcription.start(user, video, estimated_seconds=3)
    assert "Being transcribed" in browser.get("/videos/").content.decode()

    time_machine.move_to(video.created_at + LONGEST_RUN * 2)

    assert "Transcription was interrupted" in browser.get("/videos/").content.decode()
    assert (
        "3 seconds counted" in browser.post(f"/videos/{video.pk}/transcribe/", follow=True).content.decode()
    )
    assert counted(user) == (1, 3 + 3)
