from __future__ import annotations

from pathlib import Path

from django.core.management import get_commands

PAGE = (Path(__file__).parent.parent.parent / "docs/commands.md").read_text(encoding="utf-8")


def test_every_command_is_documented() -> None:
    ours = [name for name, app in get_commands().items() if app == "django_videoq_billing"]
    assert len(ours) >= 10
    assert [name for name in ours if f"`{name}" not in PAGE] == []
