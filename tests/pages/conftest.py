from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from django_videoq_billing.pages import assets

TEMPLATES = Path(__file__).parent / "templates"
MANIFEST: dict[str, dict[str, Any]] = {
    "src/main.tsx": {
        "file": "assets/main-B1.js",
        "isEntry": True,
        "imports": ["_vendor-A1.js", "_shared-C1.js"],
        "dynamicImports": ["src/pages/Success.tsx"],
        "css": ["assets/main-D1.css"],
    },
    "_vendor-A1.js": {"file": "assets/vendor-A1.js"},
    "_shared-C1.js": {
        "file": "assets/shared-C1.js",
        "imports": ["_vendor-A1.js"],
        "css": ["assets/shared-E1.css"],
    },
    "src/pages/Success.tsx": {"file": "assets/Success-F1.js", "css": ["assets/Success-G1.css"]},
}


@pytest.fixture(autouse=True)
def _host(settings: Any) -> None:
    """The host's own templates, and its login page."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [TEMPLATES]}]
    settings.LOGIN_URL = "login"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of several files, whatever was really built."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST), encoding="utf-8")
    monkeypatch.setattr(assets, "find_manifest", lambda: path)
    return path


@pytest.fixture
def browser(client: Client, user: Any, manifest: Path) -> Client:
    client.force_login(user)
    return client


def config_of(page: str) -> dict[str, Any]:
    """What the front end is told."""
    [block] = re.findall(
        r'<script id="videoq-billing-config" type="application/json">(.*?)</script>', page, re.DOTALL
    )
    config: dict[str, Any] = json.loads(block)
    return config


def tags(page: str, name: str) -> list[str]:
    return re.findall(rf"<{name}\b[^>]*>", page)
