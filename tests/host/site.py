"""A host's machine: a virtual environment with the built wheel, and a copy of the host project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "project"
PAGE = ROOT / "docs/testing.md"


class Host:
    def __init__(self, home: Path) -> None:
        self.project = home / "project"
        self.python = home / "venv/bin/python"
        wheel = build_wheel(home)
        venv.create(home / "venv", with_pip=False, symlinks=True)
        here = [sys.executable, "-m", "pip", "--python", str(self.python), "install"]
        run(*here, "--no-deps", "--no-index", "--no-warn-script-location", str(wheel), cwd=home)
        # What a host has beside the wheel comes from here; this checkout, installed to be edited, does not.
        packages = next((home / "venv/lib").glob("python*/site-packages"))
        (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))

    def begin_anew(self) -> None:
        """No test finds what another has added to the project."""
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(PROJECT, self.project)

    def run(self, *arguments: str, fails: bool = False) -> str:
        return run(str(self.python), *arguments, cwd=self.project, fails=fails)

    def pytest(
        self, *arguments: str, plugins: tuple[str, ...] = ("pytest_django.plugin",), fails: bool = False
    ) -> str:
        """With the plugins that a host has chosen, and none of those that happen to be beside them."""
        chosen = [option for plugin in plugins for option in ("-p", plugin)]
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, *arguments, fails=fails)


def build_wheel(home: Path) -> Path:
    """Without a network where the backend is installed, as the extra `dev` has it."""
    offline = ["--no-build-isolation", "--no-index"] if find_spec("hatchling") else []
    pip = [sys.executable, "-m", "pip", "wheel", "--no-cache-dir", "--no-deps", *offline]
    run(*pip, "--wheel-dir", str(home), str(ROOT), cwd=home)
    return next(home.glob("*.whl"))


def run(*command: str, cwd: Path, fails: bool = False) -> str:
    """Run without anything that leads back to this checkout, and return what was said."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PYTEST_", "COV_", "STRIPE_")) and name != "PYTHONPATH"
    }
    environment = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(  # noqa: S603 (our own commands)
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert bool(done.returncode) is fails, f"{' '.join(command)}\n{said}"
    return said


def snippets() -> list[str]:
    """The examples of the page, in their order."""
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
