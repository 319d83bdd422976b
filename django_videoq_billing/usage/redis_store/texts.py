"""The scripts as Redis is given them, each behind what they have in common."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources


class Script:
    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@cache
def scripts() -> dict[str, Script]:
    folder = resources.files("django_videoq_billing.usage.redis_store") / "lua"
    texts = {
        path.name.removesuffix(".lua"): path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".lua")
    }
    common = texts.pop("common")
    return {
        name: Script(common + text if text.startswith("-- uses common") else text)
        for name, text in texts.items()
    }
