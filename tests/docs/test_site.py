"""The site: every page is in its navigation, and nothing is loaded from anywhere else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import DOCS, ROOT


def navigation() -> list[str]:
    """The pages in the order of the navigation."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return list(_pages(config["nav"]))


def _pages(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from _pages(child)


def test_every_page_is_in_the_navigation_once() -> None:
    assert sorted(navigation()) == sorted(path.name for path in DOCS.glob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr
    return folder / ".cache/site"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    html = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    loading = re.findall(
        r"<(?:link|script|img|iframe)\b[^>]*(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)", html
    )
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert loading == []
    assert re.findall(r"url\(['\"]?(https?://[^)]+)", styles) == []


def test_the_openapi_document_is_on_the_site(site: Path) -> None:
    assert (site / "openapi.yaml").read_text(encoding="utf-8") == (DOCS / "openapi.yaml").read_text(
        encoding="utf-8"
    )
