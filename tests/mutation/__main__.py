"""`python -m tests.mutation [--workers N] [--one-in N] [--only STATUS] [PATTERN ...]`: `mutmut run`, with workers that are warm.

mutmut starts pytest anew for each mutant, and with it the database, two Redis and the local Stripe: some seconds for a test of
milliseconds. Here each worker starts them once and forks for each mutant. All else is mutmut's: what is changed, which tests
reach it, what is kept between runs. `mutmut results`, `mutmut show` and `mutmut browse` tell what came of it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import mutmut.__main__ as mutmut
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import mangled_name_from_mutant_name

from tests.mutation.runner import WarmRunner

PACKAGE = Path("django_videoq_billing")
EVERYTHING = f"{PACKAGE}.*"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one-in", type=int, default=1, help="a sample, always the same for the same code")
    parser.add_argument("--only", help='those that came out so before: "survived", "not checked"')
    parser.add_argument("patterns", nargs="*", default=[EVERYTHING])
    options = parser.parse_args()
    find, functions = mutmut.collect_source_file_mutation_data, set[str]()

    def find_some(*, mutant_names: Any) -> Any:
        mutants, data = find(mutant_names=mutant_names)
        some = [
            (of, name, code)
            for of, name, code in mutants
            if crc32(name.encode()) % options.one_in == 0
            and options.only in (None, status_by_exit_code[code])
        ]
        functions.update(mangled_name_from_mutant_name(name) for _, name, _ in some)
        return some, data

    refresh(Path("mutants") / PACKAGE)
    runner = partial(WarmRunner, functions=functions)
    vars(mutmut).update(collect_source_file_mutation_data=find_some, get_mutant_runner=runner)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # what pytest collects is the copy in mutants/
    mutmut._run(options.patterns, options.workers)


def refresh(copy: Path) -> None:
    """Bring what mutmut copies once and never again up to date: what is no Python, and Python that is gone."""
    if not copy.exists():
        return
    shutil.copytree(PACKAGE, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path in copy.rglob("*.py"):
        if not (PACKAGE / path.relative_to(copy)).exists():
            path.unlink()


if __name__ == "__main__":
    main()
