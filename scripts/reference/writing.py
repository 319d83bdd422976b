"""Pages of the reference that are written from the code: `python -m scripts.reference` (a test says when they are old)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scripts.reference import models, rest, services

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "models.md": models.page,
    "rest-api.md": rest.page,
    "services.md": services.page,
}


def write() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
