"""docs/commands.md has a row for each command, and for no other."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.management import get_commands

PAGE = (Path(__file__).parent.parent.parent / "docs/commands.md").read_text(encoding="utf-8")


def test_every_command_has_its_row() -> None:
    ours = sorted(name for name, app in get_commands().items() if app == "django_videoq_billing")
    table = re.search(r"^\| command \| .*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table
    cells = [row.split(" | ")[0] for row in table[1].splitlines()]
    named = [re.fullmatch(r"\| \[?`(\w+)[^`]*`(?:\]\(.+\))?", cell) for cell in cells]
    assert sorted(found[1] if found else "" for found in named) == ours
