"""docs/security.md names lines and tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and " --- " not in line]
THREATS = [row for row in ROWS if row[0] != "| threat"]


def names_of(path: Path) -> set[str]:
    """What a module defines: functions, classes, and what is in its classes as "Class.name"."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, kinds):
            names.add(node.name)
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, kinds)}
    return names


@pytest.mark.parametrize("threat", THREATS, ids=lambda row: row[0][2:60])
def test_a_threat_names_what_stops_it_and_what_shows_it(threat: list[str]) -> None:
    _, stopped, shown = threat
    tests = re.findall(r"`(tests/[^`]+)`", shown)
    lines = re.findall(r"`([\w/]+\.py(?:::[\w.]+)?)`", stopped)
    assert tests, "no test shows it"
    assert lines, "nothing stops it"
    for place in (*tests, *(f"django_videoq_billing/{line}" for line in lines)):
        path, _, name = place.partition("::")
        assert (ROOT / path).is_file(), place
        assert not name or name in names_of(ROOT / path), place


def test_every_part_of_the_house_has_its_threats() -> None:
    assert re.findall(r"^## (.+)$", TEXT, re.MULTILINE) == [
        "Webhooks",
        "Endpoints",
        "Counting",
        "Denial of service",
        "Secrets and people",
        "What is not stopped",
        "How it is looked for",
    ]
    assert len(THREATS) >= 40
