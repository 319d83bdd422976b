"""The Japanese texts: that none is missing, and that people are shown them."""

# ruff: noqa: RUF001 (full-width brackets and slashes are how Japanese is written)

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path

import babel
import pytest
import time_machine
from django.utils import translation
from rest_framework.test import APIClient

from django_videoq_billing.exceptions import Conflict
from scripts.messages import APPS, App, main, problems
from tests.api.clients import URLS, assert_refused, check, client_of
from tests.factories import make_plan, subscribed

# The oldest Babel that is allowed is enough to use the package; its catalogues are written with a newer one.
knows_braces = pytest.mark.skipif(
    tuple(map(int, babel.__version__.split(".")[:2])) < (2, 18),
    reason="This Babel does not mark texts with braces as such, so that it would write the catalogue otherwise.",
)
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def client() -> APIClient:
    """A client that nobody has signed in with."""
    return APIClient()


@knows_braces
def test_every_text_is_translated_and_compiled() -> None:
    assert problems() == []


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="GNU gettext is not installed")
@pytest.mark.parametrize("app", APPS, ids=str)
def test_a_host_may_compile_them(app: App) -> None:
    """`compilemessages` in a project whose virtual environment lies in it compiles ours, too."""
    command = ["msgfmt", "--check-format", "-o", os.devnull, str(app.po)]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""  # noqa: S603


def test_apps_agree_on_the_texts_they_share() -> None:
    """Django keeps one translation of a text for the whole site: the first app's would win."""
    first, second = ({text.id: text.string for text in app.translated() if text.id} for app in APPS)
    assert {text for text in first.keys() & second.keys() if first[text] != second[text]} == set()


# Over the API


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "price", "features"),
    [
        ("en", "¥1,480/month", ["1 video per month", "60 minutes of transcription per month"]),
        ("ja", "￥1,480／月", ["動画 1 本／月", "文字起こし 60 分／月"]),
        ("fr", "¥1,480/month", ["1 video per month", "60 minutes of transcription per month"]),
    ],
)
def test_plans(client: APIClient, language: str, price: str, features: list[str]) -> None:
    make_plan(price_cents=1480, currency="JPY", video_limit=1)
    (plan,) = client.get(URLS["billing/plans"], headers={"accept-language": language}).json()
    assert (plan["price_display"], plan["features"]) == (price, features)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "price", "features"),
    [
        ("en", "Free", ["Unlimited videos", "Unlimited transcription"]),
        ("ja", "無料", ["動画は無制限", "文字起こしは無制限"]),
    ],
)
def test_a_plan_without_price_or_limits(
    client: APIClient, language: str, price: str, features: list[str]
) -> None:
    make_plan(video_limit=None, transcription_limit_minutes=None)
    (plan,) = client.get(URLS["billing/plans"], headers={"accept-language": language}).json()
    assert (plan["price_display"], plan["features"]) == (price, features)


VIDEO_REFUSAL = {
    "en": "Video limit reached (0/0). Upgrade to upload more.",
    "ja": "動画の上限に達しました（0/0 本）。さらにアップロードするには、プランをアップグレードしてください。",
}
TRANSCRIPTION_REFUSAL = {
    "en": "Transcription limit reached (0 of 1 minutes used, 2 more needed). Upgrade to transcribe more.",
    "ja": "文字起こしの上限に達しました（1 分のうち 0 分を使用済み、さらに 2 分が必要です）。"
    "続けるには、プランをアップグレードしてください。",
}


@pytest.mark.django_db
@pytest.mark.urls("tests.decorators.views")
@pytest.mark.parametrize("language", VIDEO_REFUSAL)
def test_a_reached_limit(language: str) -> None:
    client = client_of(subscribed(make_plan(video_limit=0)))
    response = client.post("/function/", headers={"accept-language": language})
    assert assert_refused(response, "limit_exceeded")["message"] == VIDEO_REFUSAL[language]


@pytest.mark.django_db
@pytest.mark.parametrize("language", TRANSCRIPTION_REFUSAL)
def test_a_usage_check(language: str) -> None:
    client = client_of(subscribed(make_plan(transcription_limit_minutes=1)))
    client.credentials(HTTP_ACCEPT_LANGUAGE=language)
    answer = check(client, {"action": "transcribe_video", "estimated_duration_seconds": 120})
    assert answer.json()["reason"] == TRANSCRIPTION_REFUSAL[language]


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "Authentication credentials were not provided."), ("ja", "認証情報が含まれていません。")],
)
def test_nobody_at_an_endpoint(client: APIClient, language: str, message: str) -> None:
    response = client.get(URLS["billing/usage"], headers={"accept-language": language})
    assert assert_refused(response, "not_authenticated")["message"] == message


@pytest.mark.urls("tests.decorators.views")
@pytest.mark.parametrize(
    ("language", "message"), [("en", "Sign in to continue."), ("ja", "続けるにはログインしてください。")]
)
def test_nobody_at_a_protected_view(client: APIClient, language: str, message: str) -> None:
    response = client.post("/function/", headers={"accept-language": language})
    assert assert_refused(response, "not_authenticated")["message"] == message


def test_an_error_is_told_in_the_language_of_who_reads_it() -> None:
    with translation.override("ja"):
        error = Conflict.live_job()
    assert error.message == "This video is already being transcribed, or has been."
    with translation.override("ja"):
        assert error.message == "この動画は、文字起こし中か、すでに文字起こし済みです。"


# In the browser


@pytest.mark.django_db
@pytest.mark.urls("tests.decorators.views")
@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", [VIDEO_REFUSAL["en"], "Your usage starts again on April 10, 2026.", "See the plans"]),
        ("ja", [VIDEO_REFUSAL["ja"], "使用量は2026年4月10日にリセットされます。", "プランを見る"]),
    ],
)
def test_the_page_of_a_reached_limit(language: str, texts: list[str]) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=UTC), tick=False):
        client = client_of(subscribed(make_plan(video_limit=0)))
        response = client.post("/function/", headers={"accept": PAGE, "accept-language": language})
    assert response.status_code == 403
    assert f'<html lang="{language}">' in response.text
    assert [text for text in texts if text not in response.text] == []


# The check itself

SOURCE = """
from django.utils.translation import gettext as _, ngettext, pgettext_lazy

_("%(n)d left") % {"n": 1}
ngettext("%(n)d video", "%(n)d videos", 2) % {"n": 2}
pgettext_lazy("of a file", "size")
"""
TEMPLATE = """
<p>{% translate "Usage" %} {% blocktranslate with n=1 %}{{ n }} minutes{% endblocktranslate %}</p>
"""
COMPLETE = {
    "%(n)d left": "残り %(n)d",
    "%(n)d video": "動画 %(n)d 本",
    "size": "サイズ",
    "Usage": "使用量",
    "%(n)s minutes": "%(n)s 分",
}


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app of one module and one template, with its .po file written and nothing translated."""
    (tmp_path / "app.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE, encoding="utf-8")
    app = App(str(tmp_path))
    app.update()
    return app


def translate(app: App, texts: dict[str, str]) -> None:
    """Put translations into the .po file as a translator would, and compile it."""
    po = app.po.read_text(encoding="utf-8")
    for text, japanese in texts.items():
        po = re.sub(
            rf'(msgid "{re.escape(text)}"\n(?:msgid_plural .*\n)?msgstr.*?) ".*"', rf'\1 "{japanese}"', po
        )
    app.po.write_text(po, encoding="utf-8")
    app.compile()


def complaints(app: App) -> list[str]:
    return [problem.removeprefix(f"{app.path}: ") for problem in app.problems()]


def test_a_complete_catalogue(app: App) -> None:
    translate(app, COMPLETE)
    assert complaints(app) == []
    with app.mo.open("rb") as file:
        texts = GNUTranslations(file)
    assert texts.gettext("Usage") == "使用量"
    assert texts.ngettext("%(n)d video", "%(n)d videos", 1) == "動画 %(n)d 本"
    assert texts.pgettext("of a file", "size") == "サイズ"


def test_update_keeps_what_is_translated(app: App) -> None:
    translate(app, COMPLETE)
    before = app.po.read_bytes()
    app.update()
    assert app.po.read_bytes() == before


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"Usage": ""}, "('Usage',) is not translated"),
        ({"%(n)d left": "残り"}, "('%(n)d left',) and its translation '残り' differ in their placeholders"),
        ({"%(n)d left": "%(n)s"}, "('%(n)d left',) and its translation '%(n)s' differ in their placeholders"),
        ({"Usage": "100%"}, "('Usage',) and its translation '100%' differ in their placeholders"),
    ],
)
def test_a_wrong_translation(app: App, texts: dict[str, str], complaint: str) -> None:
    translate(app, {**COMPLETE, **texts})
    assert complaints(app) == [complaint]


def test_sources_that_have_changed(app: App, tmp_path: Path) -> None:
    translate(app, COMPLETE)
    (tmp_path / "templates" / "page.html").write_text('{% translate "Plans" %}', encoding="utf-8")
    assert complaints(app) == [
        "('%(n)s minutes',) is in no source: run update",
        "('Plans',) is not in the .po file: run update",
        "('Usage',) is in no source: run update",
    ]


@pytest.mark.parametrize(
    ("comment", "complaint"),
    [
        ("#, fuzzy\n", "('Usage',) is marked fuzzy"),
        ('#~ msgid "Old"\n#~ msgstr "古い"\n\n', "'Old' is obsolete: run update"),
    ],
)
def test_leftovers(app: App, comment: str, complaint: str) -> None:
    translate(app, COMPLETE)
    po = app.po.read_text(encoding="utf-8")
    app.po.write_text(po.replace('msgid "Usage"', f'{comment}msgid "Usage"'), encoding="utf-8")
    assert complaint in complaints(app)


def test_a_forgotten_compile(app: App) -> None:
    translate(app, COMPLETE)
    app.po.write_text(app.po.read_text(encoding="utf-8").replace("使用量", "ご利用"), encoding="utf-8")
    assert complaints(app) == ["the .mo file is not what the .po file compiles to: run compile"]


@knows_braces
def test_the_script() -> None:
    assert main(["check"]) == 0
    assert "compile" in str(main([]))
