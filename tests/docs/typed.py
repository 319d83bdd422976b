"""What the pages tell somebody to type, and what can be known of it without typing it."""

from __future__ import annotations

import configparser
import itertools
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable, Container, Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from django_videoq_billing.webhooks.registry import handlers_for
from tests.docs.pages import PAGES, ROOT, all_blocks, blocks_of

TEXTS = [page.read_text(encoding="utf-8") for page in [*PAGES, ROOT / "frontend/README.md"]]
PROSE = re.sub(r"^```.*?^```$", "", "\n".join(TEXTS), flags=re.MULTILINE | re.DOTALL)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]
NPM = json.loads((ROOT / "frontend/package.json").read_text(encoding="utf-8"))
[PROJECT] = re.findall(r"startproject (\w+)", "".join(block.code for block in blocks_of("tutorial.md")))
OF_THE_SYSTEM = {".", "cd"}
OF_THE_CHECKS = {"lint-imports", "mypy", "ruff", "zensical"}


def commands() -> list[str]:
    """Everything that is typed, or that something else starts; each part of `this && that` by itself."""
    return sorted({part for line in _lines() for part in line.split(" && ")})


def _lines() -> Iterator[str]:
    code = "\n".join(block.code for block in all_blocks("console", "yaml", "ini", "text"))
    yield from re.findall(r"^\$ (.+)$", "\n".join([code, *TEXTS]), re.MULTILINE)
    yield from re.findall(r"^(?: +command: |ExecStart=|\* \* \* \* \*  )(.+)$", code, re.MULTILINE)
    programs = "|".join(re.escape(name) for name in CHECKED)
    for found in re.findall(rf"`((?:{programs}) [^`<>]+)`", PROSE):
        yield " ".join(found.split())


def look_at(command: str) -> None:
    """Fail if something that the command names is not there."""
    words = shlex.split(command, comments=True)
    program = words[0].rpartition("/")[2]
    if program not in OF_THE_SYSTEM:
        CHECKED[program](words[1:])
    addresses = [urlsplit(word if "://" in word else f"//{word}").path for word in words if "/api/" in word]
    for path in addresses:
        resolve(path)
    assert [word for word in words if word.startswith("tests/") and not (ROOT / word).exists()] == []


def a_python_command(arguments: list[str]) -> None:
    if "-m" in arguments:
        module, *rest = arguments[arguments.index("-m") + 1 :]
        assert find_spec(module), module
        if module.startswith("tests.with_"):
            look_at(shlex.join(rest))
    elif arguments[0] == "dev.py":
        a_command_of_dev(arguments[1:])
    else:
        assert arguments[0].endswith("manage.py")
        a_management_command(arguments[1:])


def a_command_of_dev(arguments: list[str]) -> None:
    assert f'"{arguments[0]}"' in (ROOT / "dev.py").read_text(encoding="utf-8")


def a_management_command(arguments: list[str]) -> None:
    """It is one of ours or of Django's, and takes these options."""
    name, *rest = arguments
    if name in ("runserver", "compilemessages", "startproject"):
        rest = []
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options_are_among(parser._option_string_actions, rest)


def options_are_among(known: Container[str], arguments: list[str]) -> None:
    options = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    assert [option for option in options if option not in known] == []


def a_pip_command(arguments: list[str]) -> None:
    named = {name for word in arguments for name in re.findall(r"\[(\w+)\]", word)}
    assert named <= EXTRAS.keys()


def a_tox_command(arguments: list[str]) -> None:
    assert arguments[arguments.index("-e") + 1] in environments()


def environments() -> set[str]:
    """What `tox run -e` takes: the sections of tox.ini, and what the braces of its list come to."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini", encoding="utf-8")
    found = {section.partition(":")[2] for section in config.sections() if section.startswith("testenv:")}
    for pattern in re.split(r",\s*(?![^{]*\})", config["tox"]["env_list"]):
        parts = [part.split(",") for part in re.split(r"[{}]", pattern)]
        found |= {"".join(choice) for choice in itertools.product(*parts)}
    return found


def a_celery_command(arguments: list[str]) -> None:
    assert arguments[:2] == ["-A", PROJECT], "the project that the tutorial makes"
    known = [name for option in celery.commands[arguments[2]].params for name in option.opts]
    options_are_among(known, arguments[3:])


def a_gunicorn_command(arguments: list[str]) -> None:
    assert arguments == [f"{PROJECT}.wsgi"]


def an_npm_command(arguments: list[str]) -> None:
    verb, *rest = arguments
    assert verb in ("ci", "pack") or (rest[0] if verb == "run" else verb) in NPM["scripts"]


def an_npx_command(arguments: list[str]) -> None:
    assert arguments[0] in NPM["devDependencies"]


def a_command_of_stripes(arguments: list[str]) -> None:
    """Its own program is not here: what is known is where it sends events (an address), and whether we handle them."""
    assert arguments[0] == "listen" or (arguments[0] == "trigger" and handlers_for(arguments[1]))


def nothing_but_addresses(arguments: list[str]) -> None:
    assert any("/api/" in word for word in arguments)


def an_installed_program(name: str) -> Callable[[list[str]], None]:
    def check(arguments: list[str]) -> None:
        assert shutil.which(name, path=str(Path(sys.executable).parent))

    return check


CHECKED: dict[str, Callable[[list[str]], None]] = {
    "celery": a_celery_command,
    "curl": nothing_but_addresses,
    "dev.py": a_command_of_dev,
    "django-admin": a_management_command,
    "gunicorn": a_gunicorn_command,
    "manage.py": a_management_command,
    "npm": an_npm_command,
    "npx": an_npx_command,
    "pip": a_pip_command,
    "python": a_python_command,
    "python3": a_python_command,
    "stripe": a_command_of_stripes,
    "tox": a_tox_command,
    **{name: an_installed_program(name) for name in OF_THE_CHECKS},
}
