from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

import example_project.settings as example
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.example.shop import SECRET, Shop
from tests.example.year import NOW, demo_data
from tests.local_stripe import leading_to
from tests.sandbox.driver import Driver

SAMPLES = Path(example.__file__).parent / "samples"
BROKEN = SAMPLES / "broken"
UPLOAD = "/videos/upload/"

EXAMPLE = {
    name: getattr(example, name)
    for name in (
        "FILE_UPLOAD_HANDLERS",
        "LANGUAGES",
        "LOGIN_REDIRECT_URL",
        "LOGIN_URL",
        "LOGOUT_REDIRECT_URL",
        "MIDDLEWARE",
        "TEMPLATES",
        "USE_THOUSAND_SEPARATOR",
        "VIDEOQ_BILLING",
    )
}

Upload = Callable[..., Any]


@pytest.fixture(autouse=True)
def _example_site(settings: Any, tmp_path: Path) -> None:
    """The example's own pages, middleware and upload handlers; files go where the test ends with them."""
    for name, value in EXAMPLE.items():
        setattr(settings, name, value)
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def browser(client: Client, user: Any) -> Client:
    client.force_login(user)
    client.defaults["HTTP_ACCEPT"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    return client


@pytest.fixture
def upload(browser: Client) -> Upload:
    """Upload a sample by its path, or bytes as `content`; answers with the page the user then sees."""

    def send(path: Path | str = SAMPLES / "jingle.wav", content: bytes | None = None, **fields: str) -> Any:
        path = SAMPLES / path
        file = SimpleUploadedFile(path.name, path.read_bytes() if content is None else content)
        return browser.post(UPLOAD, {"file": file, **fields}, follow=True)

    return send


@pytest.fixture
def sandbox(sandbox_process: Driver, settings: Any) -> Driver:
    """A fresh local Stripe, and the example's settings as `dev.py demo` makes them lead to it."""
    sandbox_process.reset()
    settings.VIDEOQ_BILLING = {**example.VIDEOQ_BILLING, **leading_to(sandbox_process, SECRET)}
    settings.STRIPE_API_BASE = sandbox_process.url
    settings.SESSION_COOKIE_AGE = 10 * 365 * 86400  # who advances the time by months stays logged in
    return sandbox_process


@pytest.fixture
def shop(sandbox: Driver, traveller: time_machine.Traveller, client: Client, user: Any) -> Shop:
    """The plans are for sale, and `user` looks at them on the free one."""
    client.force_login(user)
    return Shop(sandbox, traveller, client)


def counted(user: Any) -> tuple[int, int]:
    """Videos and transcription seconds that are counted for the user."""
    counts = UsageTracker.get_usage(user)
    return counts["video_count"], counts["transcription_seconds"]


def other_browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("stranger"))
    return client


@pytest.fixture
def end_of_year() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def year(end_of_year: None, db: None) -> str:
    """The site is filled; what the command said."""
    return demo_data()
