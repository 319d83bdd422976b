"""The lowest version of everything that the package asks for: `python -m tests.lowest` writes lowest.txt.

`tox run -e lowest` installs these. Tools of the tests, and what others ask for, are the newest that fit.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).parent / "lowest.txt"
EXTRAS = ("schema", "redis", "celery", "prometheus", "opentelemetry", "sandbox", "demo")


def lowest() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(one for extra in EXTRAS for one in project["optional-dependencies"][extra]),
    ]
    bounds = (re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", requirement) for requirement in wanted)
    return sorted(f"{bound[1]}=={bound[2]}" for bound in bounds if bound)


if __name__ == "__main__":
    FILE.write_text("\n".join(lowest()) + "\n", encoding="utf-8")
