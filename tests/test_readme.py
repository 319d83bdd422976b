"""The README's project, followed to the letter on a new `startproject`: three uploads pass, the fourth is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
POST_FOUR_TIMES = """
from django.contrib.auth import get_user_model
from django.test import Client

client = Client(SERVER_NAME="localhost")
client.force_login(get_user_model().objects.get(username="ada"))
answers = [client.post("/upload/") for _ in range(4)]
assert [answer.status_code for answer in answers] == [201, 201, 201, 403], answers
assert answers[-1].json()["error"] == "limit_exceeded"
assert answers[-1].json()["details"]["upgrade_url"] == "/pricing/"
"""


def test_the_readme_works_in_a_new_project(tmp_path: Path) -> None:
    run(tmp_path, sys.executable, "-m", "django", "startproject", "mysite", ".")
    for name, lines in project_files().items():
        with (tmp_path / "mysite" / name).open("a") as file:
            file.write(f"\n{lines}")

    run(tmp_path, sys.executable, "manage.py", "check")
    run(tmp_path, sys.executable, "manage.py", "migrate", "--verbosity=0")
    run(tmp_path, sys.executable, "manage.py", "seed_plans")
    environment = ("--username=ada", "--email=ada@example.com", "--noinput")
    run(tmp_path, sys.executable, "manage.py", "createsuperuser", *environment)
    run(tmp_path, sys.executable, "manage.py", "shell", "--command", POST_FOUR_TIMES)


def project_files() -> dict[str, str]:
    """What the README says to add to which file."""
    block = re.search(r"```python\n(# settings\.py\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    pieces = re.split(r"^# (\w+\.py)\n", block[1], flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def run(directory: Path, *command: str) -> None:
    environment = {"DJANGO_SUPERUSER_PASSWORD": "secret", "PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(  # noqa: S603 (our own commands)
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
