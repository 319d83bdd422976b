"""The migrations as they are, by name and content: `python -m tests.frozen_migrations` writes down new ones.

A migration that was released is never edited, renamed or removed: sites have run it. Make another one after it. Only
before the first release may one be written anew, and then `python -m tests.frozen_migrations --anew` takes it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).parent / "frozen_migrations.json"
FOLDER = ROOT / "django_videoq_billing" / "migrations"


def migrations() -> dict[str, str]:
    """The first half of each file's SHA-256; how lines end does not matter."""
    found = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in found}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:32] for name, text in texts.items()}


def frozen() -> dict[str, str]:
    known: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return known


def main(arguments: list[str]) -> int:
    now, known = migrations(), frozen()
    changed = sorted(name for name in known if now.get(name) != known[name])
    if changed and "--anew" not in arguments:
        sys.stderr.write(f"Not as they were written down: {', '.join(changed)}. {__doc__}")
        return 1
    FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
