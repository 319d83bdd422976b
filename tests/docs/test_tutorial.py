"""The tutorial, followed to the letter in an empty folder, up to a log-in and the refusal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks_of

BLOCKS = [block for block in blocks_of("tutorial.md") if block.language in ("python", "html")]
UPLOAD_FOUR_TIMES = """
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

get_user_model().objects.create_superuser("ada", "ada@example.com", "secret")
client = Client(SERVER_NAME="127.0.0.1", enforce_csrf_checks=True)

def token():
    return client.get("/upload/").cookies["csrftoken"].value

assert client.get("/upload/").url == "/admin/login/?next=/upload/"
page = client.get("/admin/login/?next=/upload/")
data = {"username": "ada", "password": "secret", "next": "/upload/"}
answer = client.post("/admin/login/", {**data, "csrfmiddlewaretoken": page.cookies["csrftoken"].value})
assert answer.url == "/upload/", answer
for count in range(1, 4):
    files = {"video": SimpleUploadedFile("a.mp4", b"x"), "csrfmiddlewaretoken": token()}
    assert client.post("/upload/", files).status_code == 302
    assert f"{count} / 3" in client.get("/upload/").text
answer = client.post("/upload/", {"csrfmiddlewaretoken": token()}, headers={"accept": "text/html"})
assert answer.status_code == 403
assert "SENTENCE" in answer.text
answer = client.post("/upload/", {"csrfmiddlewaretoken": token()}, headers={"accept": "application/json"})
assert answer.json()["details"]["upgrade_url"] == "/billing/"
assert client.get("/billing/").status_code == 200
"""
WITHOUT_A_FILE = """
from django.test import Client
from django.contrib.auth import get_user_model

client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
client.force_login(get_user_model().objects.create_user("eve"))
assert client.post("/upload/").status_code >= 400
assert "0 / 3" in client.get("/upload/").text
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "templates").mkdir()
    for command in commands("django-admin"):
        run(folder, sys.executable, "-m", "django", *command)
    for block in BLOCKS:
        write(folder, block.code)
    for command in commands("python"):
        if command[1] not in ("createsuperuser", "runserver", "show_usage"):
            run(folder, sys.executable, *command)
    return folder


def commands(program: str) -> list[list[str]]:
    """What the tutorial says to type, in its order."""
    console = "".join(block.code for block in blocks_of("tutorial.md", "console"))
    return [line.split() for line in re.findall(rf"^\$ {program} (.+)$", console, re.MULTILINE)]


def write(folder: Path, code: str) -> None:
    """The first line of each block names its file; settings are added to, other files are new."""
    header = re.match(r"(?:# |<!-- )(\S+)", code)
    assert header is not None, code
    path = folder / header[1]
    with path.open("a" if path.name == "settings.py" else "w") as file:
        file.write(f"\n{code}" if path.name == "settings.py" else code)


def run(folder: Path, *command: str) -> str:
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(  # noqa: S603 (our own commands)
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def test_three_uploads_pass_and_the_fourth_is_refused(site: Path) -> None:
    sentence = blocks_of("tutorial.md", "text")[0].code.strip()
    run(site, sys.executable, "manage.py", "check")
    run(
        site,
        sys.executable,
        "manage.py",
        "shell",
        "--command",
        UPLOAD_FOUR_TIMES.replace("SENTENCE", sentence),
    )
    assert "3 of 3" in run(site, sys.executable, "manage.py", "show_usage", "ada")


def test_an_upload_without_a_file_is_given_back(site: Path) -> None:
    run(site, sys.executable, "manage.py", "shell", "--command", WITHOUT_A_FILE)


def test_every_block_names_its_file() -> None:
    names = [re.match(r"(?:# |<!-- )(\S+)", block.code) for block in BLOCKS]
    assert all(names)
    assert len(names) == 5
