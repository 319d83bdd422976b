"""What is published, and what it is tested with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from django_videoq_billing import __version__
from tests.lowest import FILE, ROOT, lowest


def test_the_lowest_versions_are_those_that_are_asked_for() -> None:
    assert FILE.read_text(encoding="utf-8").split() == lowest(), "Run `python -m tests.lowest`."


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.skipif(not WORKFLOWS, reason="An sdist has no workflows.")
def test_what_ci_takes_of_others_is_pinned_to_a_commit() -> None:
    uses = [
        line for path in WORKFLOWS for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    ]
    assert len(uses) > 5
    others = [line for line in uses if not line.startswith("./")]
    assert [
        line for line in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []


def environments_of_tox() -> str:
    return (ROOT / "tox.ini").read_text(encoding="utf-8").partition("env_list = ")[2].partition("\n")[0]


@pytest.mark.skipif(not WORKFLOWS, reason="An sdist has no workflows.")
def test_ci_runs_each_environment_of_tox() -> None:
    """The pairs are the matrix of a job, and `check` is a job of its own."""
    listed = re.sub(
        r"only-\{(.+)\}",
        lambda extras: ", ".join(f"only-{extra}" for extra in extras[1].split(",")),
        environments_of_tox(),
    )
    single = [name for name in listed.split(", ") if "{" not in name and name != "check"]
    assert {"lowest", "only-testing"} <= set(single)
    (workflow,) = (path for path in WORKFLOWS if path.stem == "tests")
    assert [name for name in single if f"          - {name}\n" not in workflow.read_text()] == []


def test_every_pair_of_the_classifiers_has_its_environment() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pythons = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', project)
    djangos = [name.replace(".", "") for name in re.findall(r'"Framework :: Django :: (\d\.\d)"', project)]
    environments = environments_of_tox()
    assert (
        f"py{{{','.join(f'3{minor}' for minor in pythons[1:])}}}-django{{{','.join(djangos)}}}"
        in environments
    )
    assert f"py3{pythons[0]}-django{djangos[0]}-" in environments, "Django 6.0 needs Python 3.12"


def test_what_is_shipped_of_others_has_its_licence_beside_it() -> None:
    """Built or minified files are others' work, or hold it: their licences must travel with them."""
    static = ROOT / "django_videoq_billing" / "static"
    folders = {path.parent for path in static.rglob("*.js") if ".min." in path.name or "assets" in path.parts}
    assert folders
    bare = [folder for folder in folders if not any(licences_near(folder))]
    assert bare == []


def licences_near(folder: Path) -> list[Path]:
    """In the folder, or where it is one of a build's, in the one above."""
    return [path for place in (folder, folder.parent) for path in place.glob("*LICENSE*")]


def test_the_python_and_the_javascript_package_are_of_one_version() -> None:
    package = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
