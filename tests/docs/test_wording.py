"""docs/wording.md: a host's own catalogue and lines are what people read."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.docs.pages import blocks_of


@pytest.fixture
def catalogue(tmp_path: Path, settings: Any) -> None:
    """What `compilemessages` makes of the page's texts, in a site that is in English alone."""
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    [texts] = blocks_of("wording.md", "po")
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, read_po(BytesIO(texts.code.encode()), locale="en"))
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English")]


@pytest.mark.usefixtures("catalogue")
def test_people_read_the_hosts_words(user: Any) -> None:
    with translation.override("en"):
        UsageTracker.count(user, "video", 3)
        with pytest.raises(QuotaExceeded) as refusal:
            UsageTracker.count(user, "video")
        assert refusal.value.message == "All 3 clips of this month are used. Upgrade to upload more."
        assert (refusal.value.details or {})["resource"] == "video", "programs are told the same as ever"
        request = RequestFactory().get("/")
        request.user = user
        panel = Template("{% load videoq_billing %}{% usage_panel %}").render(Context({"request": request}))
    assert "Clips" in panel
    assert "Videos" not in panel


def test_a_line_in_a_template_of_ones_own(user: Any) -> None:
    request = RequestFactory().get("/")
    request.user = user
    [block] = blocks_of("wording.md", "html")
    assert "0 of 3 clips" in Template(block.code).render(Context({"request": request}))
