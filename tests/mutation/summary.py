"""`python -m tests.mutation.summary`: what the last runs found, as the table of docs/mutation.md."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from mutmut.mutation.data import SourceFileMutationData
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

COLUMNS = ("killed", "timeout", "survived", "no tests", "not checked")


def place(path: PurePath) -> str:
    """The package, and of services the part of it: its files alone are many."""
    return str(PurePath(*path.parts[1:])).removesuffix("/__init__.py").removesuffix(".py")


def row(name: str, found: Counter[str]) -> str:
    noticed, run = found["killed"] + found["timeout"], found.total() - found["not checked"]
    score = f"{100 * noticed / run:.1f} %" if run else ""
    return (
        f"| {name} | {found.total()} | "
        + " | ".join(str(found[column]) for column in COLUMNS)
        + f" | {score} |"
    )


def main() -> None:
    total: Counter[str] = Counter()
    print("| code | mutants | " + " | ".join(COLUMNS) + " | score |")
    print("| --- " * (len(COLUMNS) + 3) + "|")
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        found = Counter(status_by_exit_code[code] for code in data.exit_code_by_key.values())
        total += found
        if found:
            print(row(f"`{place(path)}`", found))
    print(row("together", total))


if __name__ == "__main__":
    main()
