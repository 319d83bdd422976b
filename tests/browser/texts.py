"""The billing page's own texts, so that one journey is walked in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parents[2] / "frontend" / "src" / "i18n" / "locales"


class Texts:
    def __init__(self, lang: str) -> None:
        self._texts: dict[str, Any] = json.loads((LOCALES / f"{lang}.json").read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        text: Any = self._texts
        for part in key.split("."):
            text = text[part]
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", str(value))
        return str(text)

    def start(self, key: str, **values: object) -> str:
        """The text up to the first value that is not given."""
        return self(key, **values).partition("{{")[0]
