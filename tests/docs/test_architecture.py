"""The maps of the house name every room, and the layers on the page are those that import-linter holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks_of, text_of

PACKAGE = ROOT / "django_videoq_billing"
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def layers(container: str) -> list[str]:
    contracts = TOOLS["importlinter"]["contracts"]
    [found] = [contract["layers"] for contract in contracts if contract.get("containers") == [container]]
    return list(found)


def rooms(folder: Path) -> set[str]:
    """`api/` for a package or a folder of files, `conf.py` for a module."""
    return {
        f"{path.name}/" if path.is_dir() else path.name
        for path in folder.iterdir()
        if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("_")
    }


def mapped(page: str, heading: str) -> str:
    """The table below a heading."""
    found = re.search(rf"^## {heading}\n(.*?)^## ", text_of(page), re.MULTILINE | re.DOTALL)
    assert found
    return "\n".join(re.findall(r"^\|.+", found[1], re.MULTILINE))


def test_the_layers_on_the_page_are_those_that_are_held() -> None:
    whole, services = blocks_of("architecture.md", "text")
    lines = whole.code.splitlines()
    assert [line.partition("  ")[0] for line in lines] == layers("django_videoq_billing")
    assert services.code.splitlines() == layers("django_videoq_billing.services")
    [pages] = [line.partition("inside: ")[2] for line in lines if line.startswith("pages ")]
    assert pages.split(" > ") == layers("django_videoq_billing.pages")


def test_every_room_is_on_the_page() -> None:
    table = mapped("architecture.md", "The rooms")
    named = set(re.findall(r"^\| (.+?) \|", table, re.MULTILINE))
    beside = {"locale/", "migrations/", "static/", "templates/"}
    assert rooms(PACKAGE) - beside - set(re.findall(r"`([^`]+)`", " ".join(named))) == set()


def test_every_service_is_on_the_page() -> None:
    [row] = re.findall(r"^\| `services/` \| .+$", mapped("architecture.md", "The rooms"), re.MULTILINE)
    services = {name.removesuffix("/").removesuffix(".py") for name in rooms(PACKAGE / "services")}
    assert services - set(re.findall(r"`(\w+)`", row)) == set()


@pytest.mark.parametrize("folder", ["the package", "the repository"])
def test_the_map_for_contributors_names_every_room(folder: str) -> None:
    cells = re.findall(r"^\| (.+?) \|", mapped("CONTRIBUTING.md", "The map of the house"), re.MULTILINE)
    named = set(re.findall(r"`([^`]+)`", " ".join(cells)))
    shipped = TOOLS["hatch"]["build"]["targets"]["sdist"]["include"]
    folders = {f"{name[1:]}/" for name in shipped if (ROOT / name[1:]).is_dir()} - {"django_videoq_billing/"}
    there = rooms(PACKAGE) if folder == "the package" else folders
    assert there - named == set()
    assert named - rooms(PACKAGE) - folders == set(), "rooms that are no more"
