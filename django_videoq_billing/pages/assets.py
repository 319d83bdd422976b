"""Which of the built files the page needs, as Vite's manifest tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

FOLDER = "django_videoq_billing/page/"
BUILD = Path(__file__).parent.parent / "static" / FOLDER
ENTRY = "src/main.tsx"


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses: the module that is run, those it imports, and the style sheets of all of them."""

    script: str
    modules: tuple[str, ...]
    styles: tuple[str, ...]


def page_assets() -> Assets:
    """Return the page's files; raises ImproperlyConfigured where they have not been built.

    The addresses are those under which the files import each other, so a storage that adds a hash of its own
    does not load a module twice; they have one in their names already.
    """
    try:
        manifest = find_manifest()
        entry, modules, styles = _read(manifest, manifest.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            f"The built files of the billing page are missing or damaged (manifest.json: {error!r:.80}). A released "
            "package brings them; in a clone run `python -m scripts.frontend build`."
        ) from error
    root = static(FOLDER)
    return Assets(root + entry, tuple(root + name for name in modules), tuple(root + name for name in styles))


def find_manifest() -> Path:
    """Return where the build's manifest is: a host may put a build of its own before ours, as with any static file."""
    if apps.is_installed("django.contrib.staticfiles"):
        from django.contrib.staticfiles import finders

        if found := finders.find(f"{FOLDER}manifest.json"):
            return Path(found)
    return BUILD / "manifest.json"


@lru_cache(maxsize=1)
def _read(manifest: Path, changed_at: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return entry, imported modules and style sheets; what is built anew is read anew."""
    chunks: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    found = dict(_with_imports(chunks, ENTRY))
    styles = [sheet for chunk in found.values() for sheet in chunk.get("css", ())]
    entry = found.pop(ENTRY)["file"]
    return entry, tuple(chunk["file"] for chunk in found.values()), tuple(dict.fromkeys(styles))


def _with_imports(
    chunks: Mapping[str, Any], name: str, seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Any]]:
    """Yield what a chunk imports and then the chunk, so that its own styles come last and win."""
    for needed in chunks[name].get("imports", ()):
        if needed not in seen:
            yield from _with_imports(chunks, needed, seen | {name})
    yield name, chunks[name]
