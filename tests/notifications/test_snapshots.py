"""Every e-mail in both languages, as files to look at: UPDATE_SNAPSHOTS=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation

from django_videoq_billing.models import Notification
from tests.notifications.variants import NOW, SITE, VARIANTS

SNAPSHOTS = Path(__file__).parent / "snapshots"
LANGUAGES = ("en", "ja")
NAMES = [f"{name}.{language}" for name in VARIANTS for language in LANGUAGES]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> Iterator[None]:
    settings.VIDEOQ_BILLING = SITE
    with time_machine.travel(NOW, tick=False):
        yield


def files_of(mail: EmailMultiAlternatives) -> dict[str, str]:
    """What a text and an HTML mail program would show, the first with the headers that matter."""
    shown = {"From": mail.from_email, "To": ", ".join(mail.to), "Subject": mail.subject}
    head = "".join(f"{name}: {value}\n" for name, value in {**shown, **mail.extra_headers}.items())
    html = str(mail.alternatives[0][0])
    return {"txt": f"{head}\n{mail.body}", "html": html}


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_snapshot(name: str, settings: Any) -> None:
    variant, _, language = name.rpartition(".")
    settings.LANGUAGE_CODE = language
    with translation.override(language), timezone.override(None):
        files = files_of(VARIANTS[variant]())
    for ending, text in files.items():
        path = SNAPSHOTS / f"{name}.{ending}"
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs"


def test_every_kind_has_a_snapshot_and_no_file_is_left_over() -> None:
    assert {kind.value for kind in Notification.Kind} == {name.partition("-")[0] for name in VARIANTS}
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(NAMES)
