"""Commands, templates and data on the pages: what can be run elsewhere is checked, and every block has a language."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from importlib.util import find_spec
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.template import Context, Template
from django.test import RequestFactory

from tests.docs.pages import PAGES, ROOT, Block, all_blocks, text_of

SHOWN = {"css", "ini", "json", "po", "text", "tsx", "yaml"}
RUN = {"console", "html", "python"}
OF_THE_SYSTEM = {".", "celery", "curl", "npm", "npx", "stripe"}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


def lines() -> list[Any]:
    """Every command that somebody is told to type, comments left out."""
    found = re.findall(
        r"^\$ (.+)$", "\n".join(f"\n{block.code}" for block in all_blocks("console")), re.MULTILINE
    )
    return sorted(set(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_has_a_language_that_is_looked_at(page: Any) -> None:
    fences = re.findall(r"^(\s*)```(\w*)", text_of(page.name), re.MULTILINE)
    assert [indent for indent, _ in fences if indent.strip("\n")] == [], "an indented block is run by nobody"
    opening = [language for _, language in fences[::2]]
    assert set(opening) <= SHOWN | RUN
    assert {language for _, language in fences[1::2]} <= {""}


@pytest.mark.parametrize("line", lines())
def test_commands_can_be_typed(line: str) -> None:
    words = shlex.split(line, comments=True)
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program in ("python", "python3"):
        a_python_command(arguments)
    elif program == "django-admin":
        options_exist(arguments[0], arguments[1:])
    elif program == "pip":
        assert set(re.findall(r"\[(\w+)\]", line)) <= EXTRAS.keys()
    elif program == "tox":
        assert f"[testenv:{arguments[arguments.index('-e') + 1]}]" in (ROOT / "tox.ini").read_text()
    else:
        assert program in OF_THE_SYSTEM, line


def a_python_command(arguments: list[str]) -> None:
    if arguments[0] == "-m":
        assert find_spec(arguments[1]), arguments[1]
    elif arguments[0] == "dev.py":
        assert f'"{arguments[1]}"' in (ROOT / "dev.py").read_text(encoding="utf-8")
    else:
        assert arguments[0].endswith("manage.py")
        options_exist(arguments[1], arguments[2:])


def options_exist(name: str, arguments: list[str]) -> None:
    """The command is one of ours or of Django's, and takes these options."""
    if name in ("runserver", "compilemessages", "startproject"):
        arguments = []
    known = (
        load_command_class(get_commands()[name], name).create_parser("manage.py", name)._option_string_actions
    )
    options = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    assert [option for option in options if option not in known] == []


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
