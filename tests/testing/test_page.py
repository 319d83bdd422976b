"""docs/testing.md names everything that a host may use. (tests/host runs its examples.)"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import django_videoq_billing.testing
from django_videoq_billing.testing import BillingSandbox, cases, plugin

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
MOVES = {name for name in vars(BillingSandbox) if not name.startswith("_")}


def test_every_fixture_has_its_row() -> None:
    fixtures = re.findall(r"^@pytest.fixture\ndef (\w+)", inspect.getsource(plugin), re.MULTILINE)
    assert fixtures == re.findall(r"^\| `(\w+)[`(]", PAGE, re.MULTILINE)


def test_every_name_is_there() -> None:
    names = MOVES | set(django_videoq_billing.testing.__all__)
    assert {name for name in names if not re.search(rf"\b{name}\b", PAGE)} == set()


def test_the_mixin_has_every_move() -> None:
    given = set(re.findall(r"self\.(\w+) = self\.billing\.\1$", inspect.getsource(cases), re.MULTILINE))
    assert MOVES - given == {"control", "objects", "subscription_of", "sync_plans"}
