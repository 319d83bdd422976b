"""The package's page at the registry: its addresses, and the README with links that lead somewhere from there.

Where the repository is, is known to the workflow that publishes (GITHUB_REPOSITORY); a build elsewhere keeps the README as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import environ
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)(\[[^]]*\])\((?!https?:|#)([^)]+)\)")


class PackagePage(MetadataHookInterface):
    """Called by the build (`tool.hatch.metadata.hooks` in pyproject.toml)."""

    def update(self, metadata: dict[str, Any]) -> None:
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": linked(readme, environ)}
        metadata["urls"] = addresses(environ)


def repository(env: Mapping[str, str]) -> str:
    name = env.get("GITHUB_REPOSITORY", "")
    return f"{env.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def linked(readme: str, env: Mapping[str, str]) -> str:
    """Make the README's own links absolute: pages and pictures of the tag that is published."""
    home, tag = repository(env), env.get("GITHUB_REF_NAME", "HEAD")

    def absolute(link: re.Match[str]) -> str:
        picture, text, target = link.groups()
        return f"{picture}{text}({home}/{'raw' if picture else 'blob'}/{tag}/{target})"

    return LINK.sub(absolute, readme) if home else readme


def addresses(env: Mapping[str, str]) -> dict[str, str]:
    home = repository(env)
    if not home:
        return {}
    page = f"{home}/blob/{env.get('GITHUB_REF_NAME', 'HEAD')}"
    return {
        "Documentation": f"{page}/docs/index.md",
        "Source": home,
        "Issues": f"{home}/issues",
        "Changelog": f"{page}/CHANGELOG.md",
    }
