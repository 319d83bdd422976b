"""The pages, and the blocks of code on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(DOCS.glob("*.md")),
]

# A block that no test can run says so, and why: <!-- not run: needs a cluster -->
_BLOCK = re.compile(r"^(?:<!-- not run: (.+) -->\n\n?)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code; `number` counts those of its language on its page, from 1."""

    page: str
    language: str
    number: int
    code: str
    excuse: str = ""

    def __str__(self) -> str:
        return f"{self.page} {self.language} {self.number}"


def text_of(page: str) -> str:
    return next(path for path in PAGES if path.name == page).read_text(encoding="utf-8")


def blocks_of(page: str, language: str | None = None) -> list[Block]:
    """Every block of the page, or those of one language, in their order."""
    found: list[Block] = []
    for excuse, kind, code in _BLOCK.findall(text_of(page)):
        number = 1 + sum(block.language == kind for block in found)
        found.append(Block(page, kind, number, code, excuse))
    return [block for block in found if language in (None, block.language)]


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page.name) if block.language in languages]
