"""The TypeScript on the pages, compiled as a host's own against the npm package: a part of `python -m scripts.frontend check`."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRONTEND = ROOT / "frontend"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), FRONTEND / "README.md"]
PACKAGE = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))

# What the text around the blocks says is the reader's own. The file of `window.videoqBilling` comes from the sources.
GIVEN = """\
import "{start}";
declare global {{
  const csrfToken: string;
  function tokenOfUser(): Promise<string>;
}}
"""


def snippets() -> dict[str, str]:
    """Every block in TypeScript, by the name of a file for it."""
    return {
        f"{page.parent.name}-{page.stem}-{number}.tsx": code
        for page in PAGES
        for number, code in enumerate(blocks_of(page), 1)
    }


def blocks_of(page: Path) -> list[str]:
    return re.findall(
        r"^```(?:tsx|ts)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def unknown_entries(code: str) -> list[str]:
    """What is imported from the package and is not among its `exports`: style sheets are nothing that tsc looks for."""
    named = re.findall(rf'"{PACKAGE["name"]}(/[^"]+)?"', code)
    return [f"{PACKAGE['name']}{entry}" for entry in named if f".{entry}" not in PACKAGE["exports"]]


@contextmanager
def as_project() -> Iterator[Path]:
    """A TypeScript project of the blocks; in `dist`, whose types (`build:lib`) the package's own name leads to."""
    with tempfile.TemporaryDirectory(prefix="snippets-", dir=FRONTEND / "dist") as name:
        folder = Path(name)
        for file, code in snippets().items():
            module = "" if re.search(r"^(import|export) ", code, re.MULTILINE) else "export {};\n"
            (folder / file).write_text(module + code, encoding="utf-8")
        (folder / "given.d.ts").write_text(
            GIVEN.format(start=(FRONTEND / "src/start.tsx").as_posix()), encoding="utf-8"
        )
        config = {
            "extends": "../../tsconfig.json",
            "compilerOptions": {"noUnusedLocals": False},
            "include": ["*"],
        }
        (folder / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
        yield folder
