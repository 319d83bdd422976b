"""Everything on the pages but Python: what it names is there, and data, templates, styles and texts are looked at.

The Python blocks are run by test_python.py, tsx is compiled by `python -m scripts.frontend check`, and po by test_wording.py.
"""

from __future__ import annotations

import configparser
import json
import re
from typing import Any

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.template import Context, Template
from django.template.loader import get_template
from django.test import RequestFactory, override_settings
from django.urls import resolve

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification
from scripts import snippets
from tests.docs import typed
from tests.docs.pages import PAGES, ROOT, Block, all_blocks, blocks_of, text_of

LANGUAGES = {"console", "css", "html", "ini", "json", "po", "python", "text", "tsx", "yaml"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_has_a_language_that_is_looked_at(page: Any) -> None:
    fences = re.findall(r"^(\s*)```(\w*)", text_of(page.name), re.MULTILINE)
    assert [indent for indent, _ in fences if indent.strip("\n")] == [], "an indented block is run by nobody"
    opening = [language for _, language in fences[::2]]
    assert set(opening) <= LANGUAGES
    assert {language for _, language in fences[1::2]} <= {""}


@pytest.mark.parametrize("command", typed.commands())
def test_commands_can_be_typed(command: str) -> None:
    typed.look_at(command)


def test_commands_that_the_text_names_exist() -> None:
    pages = "".join(text_of(page.name) for page in PAGES)
    named = set(re.findall(r"manage\.py ([a-z_]+)", pages))
    assert named - get_commands().keys() == set()


@pytest.mark.parametrize("block", all_blocks("html"), ids=str)
def test_templates_compile_and_render(block: Block, user: Any) -> None:
    request = RequestFactory().get("/")
    request.user = user
    template = Template(block.code)
    if "{% extends" not in block.code:
        assert template.render(Context({"request": request})).strip()


@pytest.mark.parametrize("block", all_blocks("json", "yaml", "ini"), ids=str)
def test_data_can_be_read(block: Block) -> None:
    if block.language == "json":
        json.loads(block.code)
    elif block.language == "yaml":
        assert yaml.safe_load(block.code)
    else:
        configparser.ConfigParser().read_string(block.code)


THEME = "".join(
    (ROOT / path).read_text(encoding="utf-8")
    for path in ("frontend/src/theme.css", "django_videoq_billing/static/django_videoq_billing/meter.css")
)
TEMPLATES = "".join(
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "django_videoq_billing/templates/django_videoq_billing").glob("*.html"))
)


@pytest.mark.parametrize("block", all_blocks("css"), ids=str)
def test_styles_name_what_is_on_the_page(block: Block) -> None:
    for selector in re.findall(r"[#.]([a-z][\w-]+)(?=[^{};]*\{)", block.code):
        assert re.search(rf'(?:id|class)="(?:[^"]* )?{selector}[" ]', TEMPLATES), selector


def test_every_variable_of_the_theme_is_there_and_in_the_table() -> None:
    there = set(re.findall(r"(--vqb-[a-z-]+):", THEME))
    readme = (ROOT / "frontend/README.md").read_text(encoding="utf-8")
    for text in (text_of("frontend.md"), readme):
        assert set(re.findall(r"--vqb-[a-z-]*[a-z]", text)) - there == set()
    rows = "".join(re.findall(r"^\| `--vqb-.+$", readme, re.MULTILINE))
    assert there - set(re.findall(r"`(--vqb-[a-z-]+)`", rows)) == set()


def test_every_block_in_typescript_is_compiled() -> None:
    found = list(snippets.snippets().values())
    assert [block for block in all_blocks("tsx") if block.code not in found] == []
    readme = (ROOT / "frontend/README.md").read_text(encoding="utf-8")
    assert len(found) == len(all_blocks("tsx")) + readme.count("```tsx")


def test_every_text_is_looked_at() -> None:
    elsewhere = {
        "operations.md": "cron's line: typed.py",
        "tutorial.md": "test_tutorial.py",
    }
    layers = {"architecture.md": 2}  # test_architecture.py
    here = {"emails.md": 1, "settings.md": 1, "going-live.md": 3}
    # Not a program, and a policy under which tests/browser looks at the page.
    shown = {"exactness.md", "frontend.md"}
    found = {block.page: len(blocks_of(block.page, "text")) for block in all_blocks("text")}
    assert found == {**dict.fromkeys([*elsewhere, *shown], 1), **layers, **here}


def test_templates_of_emails_have_the_names_on_the_page() -> None:
    [block] = blocks_of("emails.md", "text")
    names = re.findall(r"^\S+", block.code, re.MULTILINE)
    assert len(names) == 5
    for kind in Notification.Kind.values:
        for name in names:
            get_template(name.replace("KIND", kind))


def test_the_webhooks_address_is_the_documented_one() -> None:
    address = blocks_of("going-live.md", "text")[0].code.strip()
    path = address.removeprefix("https://www.example.com")
    assert resolve(path).url_name == "stripe-webhook"


def test_wrong_settings_are_refused_in_these_words() -> None:
    [block] = blocks_of("settings.md", "text")
    wrong = {"PLANS": {"free": {"name": "Free"}}, "UPGRADE_ULR": "/", "GRACE_PERIOD_DAYS": "3"}
    with override_settings(VIDEOQ_BILLING=wrong), pytest.raises(ImproperlyConfigured) as refusal:
        get_settings()
    assert f"django.core.exceptions.ImproperlyConfigured: {refusal.value}\n" == block.code
