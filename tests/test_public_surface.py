"""What was promised stays: see docs/upgrading.md."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.public_surface import FILE, UPGRADING, listed, surface

FROZEN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", FROZEN)
def test_the_public_surface_is_the_one_that_was_written_down(part: str) -> None:
    now = json.loads(json.dumps(surface()[part]))
    assert now == FROZEN[part], (
        "The public surface changed. If that is meant: `python -m tests.public_surface` "
        "(DJANGO_SETTINGS_MODULE=tests.settings), a line in CHANGELOG.md, and where something is gone or called "
        "otherwise, a deprecation first and a row in docs/upgrading.md."
    )


def test_every_name_of_the_table_is_there() -> None:
    assert sum(map(len, listed().values())) > 80
    assert listed().keys() == FROZEN["names"].keys()


def test_what_is_deprecated_says_since_when_and_what_to_use() -> None:
    table = UPGRADING.read_text(encoding="utf-8").partition("| deprecated |")[2].partition("\n\n")[0]
    rows = [line for line in table.splitlines()[2:] if line.startswith("|")]
    assert [row for row in rows if not re.fullmatch(r"\| `.+` \| \d+\.\d+ \| \d+\.0 \| .+ \|", row)] == []
