"""The names of the log's records, and what each carries, are what docs/operations.md says: no more, no less."""

from __future__ import annotations

import ast
import json
import logging
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from django_videoq_billing.logs import JsonFormatter

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "django_videoq_billing"

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PERSONAL = re.compile(
    r"(^|_)(e?mail|name|address|phone|ip|token|secret|customer|session|stripe|payload|body|url)(_|$)"
)
ALLOWED = {"stripe_code", "upgrade_url"}  # one of a list of Stripe's; a setting of the site


@dataclass(frozen=True)
class Call:
    """One place where something is logged."""

    where: str
    first: ast.expr
    levels: frozenset[str]
    extras: ast.expr | None
    module: ast.Module

    @property
    def name(self) -> str:
        assert isinstance(self.first, ast.Constant), f"{self.where}: the name must be a literal"
        return str(self.first.value)

    @property
    def keys(self) -> set[str]:
        given = self.extras
        if isinstance(given, ast.Name):
            given = self._assigned(given)
        if given is None:
            return set()
        assert isinstance(given, ast.Dict), f"{self.where}: the extras must be written out"
        assert all(isinstance(key, ast.Constant) for key in given.keys), self.where
        return {str(key.value) for key in given.keys if isinstance(key, ast.Constant)}

    def _assigned(self, name: ast.Name) -> ast.expr:
        """What the name stands for: its last assignment before."""
        found = [
            node.value
            for node in ast.walk(self.module)
            if isinstance(node, ast.Assign)
            and node.lineno < name.lineno
            and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
        ]
        return max(found, key=lambda value: value.lineno)


def level(node: ast.expr) -> frozenset[str]:
    """The levels of a call, `logger.log(logging.INFO if missing else logging.ERROR, ...)` among them."""
    return frozenset(
        part.attr.lower()
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr.isupper()
    )


def calls() -> Iterator[Call]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr=method)):
                    extras = next((word.value for word in node.keywords if word.arg == "extra"), None)
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    levels = level(node.args[0]) if method == "log" else frozenset({method})
                    yield Call(where, node.args[method == "log"], levels, extras, module)


CALLS = list(calls())


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """The levels and the extras of each name."""
    section = PAGE.partition("\n## Log records\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|([^|]*)\| [^|]+ \|$", section, re.MULTILINE)
    assert len(rows) == len({name for name, *_ in rows}), "a name has two rows"
    return {
        name: (set(re.findall(r"\w+", levels)), set(re.findall(r"`(\w+)`", extras)))
        for name, levels, extras in rows
    }


def test_every_record_is_on_the_page_with_its_levels_and_extras() -> None:
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for call in CALLS:
        levels, extras = found[call.name]
        levels |= {"error" if level == "exception" else level for level in call.levels}
        extras |= call.keys
    assert dict(found) == documented()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_a_record_has_a_stable_name_and_plain_extras(call: Call) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", call.name)
    assert call.levels
    assert call.levels <= LEVELS
    assert not {key for key in call.keys - ALLOWED if PERSONAL.search(key)}
    usual = vars(logging.makeLogRecord({}))
    assert not call.keys & {*usual, "message", "asctime", "time", "level", "logger", "event"}


def test_one_logger_for_all() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts
    )
    named = set(re.findall(r"^logger = logging\.getLogger\((.+)\)$", source, re.MULTILINE))
    assert named == {'"django_videoq_billing"'}


def test_the_configuration_on_the_page_writes_json() -> None:
    (snippet,) = re.findall(r"^```python\n(LOGGING = .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    program = (
        "import django, logging\n"
        "from django.conf import settings\n"
        f"{snippet}\n"
        "settings.configure(LOGGING=LOGGING)\n"
        "django.setup()\n"
        "logging.getLogger('django_videoq_billing').info('quota_refused', extra={'metric': 'video', 'limit': 3})\n"
    )
    answer = subprocess.run(  # noqa: S603 (our own documentation)
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    (line,) = answer.stderr.splitlines()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told.pop("time"))
    assert told == {
        "level": "info",
        "logger": "django_videoq_billing",
        "event": "quota_refused",
        "metric": "video",
        "limit": 3,
    }


def formatted(**fields: Any) -> Any:
    values = {"msg": "an_event", "name": "django_videoq_billing", "levelname": "INFO", **fields}
    return json.loads(JsonFormatter().format(logging.makeLogRecord(values)))


class TestJson:
    def test_what_cannot_be_known_is_left_out(self) -> None:
        told = formatted(request=object(), user={"name": "Anna"}, plans=["a", "b"], ids=[object()], rate=0.5)
        assert {"plans", "rate"} == told.keys() - {"time", "level", "logger", "event"}

    def test_an_extra_does_not_stand_for_what_is_always_there(self) -> None:
        told = formatted(event="another", level="none", time=0, logger=None)
        assert (told["event"], told["level"], told["logger"]) == ("an_event", "info", "django_videoq_billing")

    def test_it_is_one_line_whatever_happened(self) -> None:
        try:
            raise ValueError("first\nsecond \u3042")
        except ValueError:
            record = logging.makeLogRecord({"msg": "failed %s", "args": ("so",), "exc_info": sys.exc_info()})
        line = JsonFormatter().format(record)
        assert "\n" not in line
        told = json.loads(line)
        assert told["event"] == "failed so"
        assert told["exception"].endswith("ValueError: first\nsecond \u3042")
