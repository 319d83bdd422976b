"""What people read at the registry: the README leads somewhere from there, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RELEASE = {"GITHUB_REPOSITORY": "someone/billing", "GITHUB_REF_NAME": "v0.9.0"}
HOME = "https://github.com/someone/billing"

package_page = pytest.importorskip("scripts.package_page", reason="hatchling is not installed")


@pytest.fixture
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_pages_and_pictures_are_those_of_the_tag(readme: str) -> None:
    page = package_page.linked(readme, RELEASE)
    assert (
        f"![The billing page: plan, usage with twelve months, plans]({HOME}/raw/v0.9.0/docs/images/" in page
    )
    assert f"({HOME}/blob/v0.9.0/docs/settings.md#system-checks)" in page
    assert re.findall(r"\]\((?!https://)[^)]*\)", page) == []


def test_every_file_that_is_linked_is_there(readme: str) -> None:
    page = package_page.linked(readme, RELEASE)
    files = re.findall(rf"\({HOME}/(?:raw|blob)/v0\.9\.0/([^)#]+)", page)
    assert len(files) > 30
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_a_build_that_knows_no_repository_changes_nothing(readme: str) -> None:
    assert package_page.linked(readme, {}) == readme
    assert package_page.addresses({}) == {}


def test_the_addresses(readme: str) -> None:
    found = package_page.addresses(RELEASE)
    assert found["Source"] == HOME
    assert found["Changelog"] == f"{HOME}/blob/v0.9.0/CHANGELOG.md"
