from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from tests.commands.conftest import Run
from tests.factories import make_payment


@pytest.fixture(autouse=True)
def _paid(ada: User) -> None:
    make_payment(user=ada, stripe_object_id="in_1", description="スタンダード")


def test_json_for_the_terminal(run: Run) -> None:
    said = run("export_billing_data", "ada")
    data = json.loads(said)
    assert (data["user"]["username"], data["subscription"]["plan_slug"]) == ("ada", "free")
    assert [payment["description"] for payment in data["payments"]] == ["スタンダード"]
    assert "スタンダード" in said, "people read it, too"
    assert "in_1" not in said


def test_stripes_ids_on_request(run: Run) -> None:
    assert "in_1" in run("export_billing_data", "ada@example.com", with_stripe=True)


def test_a_new_file_for_the_owner_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "ada.json"
    assert run("export_billing_data", "ada", output=str(path)) == f"Written to {path}.\n"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(run("export_billing_data", "ada"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("kept")
    with pytest.raises(CommandError, match=r"kept\.json cannot be written: File exists"):
        run("export_billing_data", "ada", output=str(path))
    assert path.read_text() == "kept"
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        run("export_billing_data", "ada", output=str(tmp_path / "nowhere" / "ada.json"))


def test_nobody(run: Run) -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        run("export_billing_data", "nobody")
