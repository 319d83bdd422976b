"""The built files, as a host's storages and the wheel carry them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import call_command
from django.test import Client, modify_settings

from django_videoq_billing.pages import assets
from tests.pages.conftest import MANIFEST, tags

ROOT = Path(__file__).parent.parent.parent
MANIFEST_STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> Path:
    """What `collectstatic` makes of everything with Django's hashing storage."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST_STORAGE}}
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path / "static"


@pytest.mark.django_db
@pytest.mark.urls("tests.pages.urls")
def test_a_hashing_storage_serves_what_the_page_names(collected: Path, client: Client, user: Any) -> None:
    client.force_login(user)

    page = client.get("/account/").text

    named = [
        tag.partition("/static/")[2].partition('"')[0] for tag in tags(page, "link") + tags(page, "script")
    ]
    named = [name for name in named if name]
    assert len(named) >= 3
    assert [name for name in named if not (collected / name).is_file()] == []
    assert any(name.startswith("django_videoq_billing/meter.") and name.count(".") == 2 for name in named)


def test_every_file_of_the_build_is_there() -> None:
    chunks = json.loads((assets.BUILD / "manifest.json").read_text(encoding="utf-8"))
    names = {name for chunk in chunks.values() for name in [chunk["file"], *chunk.get("css", ())]}
    assert [name for name in names if not (assets.BUILD / name).is_file()] == []


def test_the_build_asks_no_other_server() -> None:
    """No CDN, no font of somebody else's: a strict policy of the host's is kept."""
    for path in assets.BUILD.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "@import" not in text
        assert "url(http" not in text.replace('"', "")
    for path in assets.BUILD.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "sk_test_" not in text
        assert "sourceMappingURL" not in text or path.with_name(f"{path.name}.map").exists()


@pytest.mark.django_db
@pytest.mark.urls("tests.pages.urls")
def test_a_build_of_the_hosts_own_goes_before_ours(
    client: Client, user: Any, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / assets.FOLDER
    folder.mkdir(parents=True)
    settings.STATICFILES_DIRS = [tmp_path]
    client.force_login(user)
    assert "main-B1.js" not in client.get("/billing/").text

    (folder / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")

    assert "main-B1.js" in client.get("/billing/").text


@pytest.mark.django_db
@pytest.mark.urls("tests.pages.urls")
def test_a_host_without_staticfiles_has_our_build(client: Client, user: Any) -> None:
    client.force_login(user)
    with modify_settings(INSTALLED_APPS={"remove": ["django.contrib.staticfiles"]}):
        page = client.get("/billing/").text
    entry = json.loads((assets.BUILD / "manifest.json").read_text(encoding="utf-8"))["src/main.tsx"]
    assert f'src="/static/django_videoq_billing/page/{entry["file"]}"' in page


def test_the_wheel_has_the_pages_files(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="The builder of the wheel is not installed.")
    program = (
        "from hatchling.builders.wheel import WheelBuilder\n"
        f"for path in WheelBuilder({str(ROOT)!r}).build(directory={str(tmp_path)!r}): print(path)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stderr

    names = ZipFile(run.stdout.split()[-1]).namelist()

    package = ROOT / "django_videoq_billing"
    for folder in ("static", "templates"):
        files = [path for path in (package / folder).rglob("*") if path.is_file()]
        assert files
        assert [file for file in files if file.relative_to(ROOT).as_posix() not in names] == []


def test_the_documented_variables_are_those_of_the_style_sheets() -> None:
    page = (ROOT / "docs" / "frontend.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| variable \|.*?\n\n", page, re.MULTILINE | re.DOTALL)
    documented = set()
    for row in table.strip().splitlines()[2:]:
        base = ""
        for name in re.findall(r"`(-[\w-]+)`", row.split("|")[1]):
            base = name if name.startswith("--") else base
            documented.add(name if name.startswith("--") else base + name)
    theme = (ROOT / "frontend" / "src" / "theme.css").read_text(encoding="utf-8")
    assert documented
    assert documented == set(re.findall(r"--vqb-[\w-]+", theme))

    meter = (assets.BUILD.parent / "meter.css").read_text(encoding="utf-8")
    assert set(re.findall(r"--vqb-[\w-]+", meter)) <= documented
