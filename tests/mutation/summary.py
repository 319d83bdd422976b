"""`python -m tests.mutation.summary`: what the last runs found, as the table of docs/mutation.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePath

from mutmut.mutation.data import SourceFileMutationData
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

COLUMNS = ("killed", "timeout", "survived", "no tests")


def place(path: PurePath) -> str:
    """The module, or the package inside of `usage` and `services`."""
    parts = path.parts[1:]
    return str(PurePath(*parts[:-1])) if len(parts) > 2 else str(PurePath(*parts))


def row(name: str, found: Counter[str]) -> str:
    """The score is of what was run: killed by a failing test or stopped because it ran too long."""
    noticed, run = found["killed"] + found["timeout"], found.total() - found["not checked"]
    cells = [found.total(), run, *(found[column] for column in COLUMNS), f"{100 * noticed / run:.0f} %"]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    places: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        statuses = Counter(status_by_exit_code[code] for code in data.exit_code_by_key.values())
        places[place(path)] += statuses
        places["together"] += statuses
    print("| code | mutants | run | " + " | ".join(COLUMNS) + " | score |")
    print("| --- " * (len(COLUMNS) + 4) + "|")
    places["together"] = places.pop("together")
    for name, found in places.items():
        if found.total() > found["not checked"]:
            print(row(f"`{name}`", found))
    left = ", ".join(
        f"`{name}`" for name, found in places.items() if 0 < found.total() == found["not checked"]
    )
    print(f"\nNot run: {left or 'nothing'}")


if __name__ == "__main__":
    main()
