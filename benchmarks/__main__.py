"""`python -m benchmarks`: start the servers, measure, write docs/benchmarks.md and its picture."""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
from pathlib import Path
from time import monotonic

from benchmarks import page
from benchmarks.report import ANY_CORE, ONE_CORE, Report

ROOT = Path(__file__).parent.parent
PARTS = ("calls", "races", "populations", "flush", "receipts")


def main() -> int:
    options = read_arguments()
    if options.render:
        write(Report.load(ROOT / "docs/benchmarks.json"), ROOT / "docs")
        return 0
    if options.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    from benchmarks.servers import all_servers

    populations = ("1000", "10000") if options.quick else ("1000", "100000", "1000000")
    with all_servers(populations if "populations" in options.parts else ()):
        from benchmarks.run import run

        began = monotonic()
        report = run(options.parts, quick=options.quick, rng=random.Random(options.seed), say=say)
        report.facts["seconds"] = monotonic() - began
        report.machine["placement"] = ONE_CORE if options.one_core else ANY_CORE
    if options.output is None:
        sys.stdout.write(page.render(report))
    else:
        write(report, options.output)
    return 0


def write(report: Report, folder: Path) -> None:
    from benchmarks import plot

    (folder / "images").mkdir(parents=True, exist_ok=True)
    report.save(folder / "benchmarks.json")
    (folder / "benchmarks.md").write_text(page.render(report), encoding="utf-8")
    plot.draw(report, folder / "images/benchmarks.png")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less than a minute, to see that it works")
    parser.add_argument("--seed", type=int, default=1, help="of the order of turns and of who asks")
    parser.add_argument("--one-core", action="store_true", help="put client and servers on one core")
    parser.add_argument(
        "--output", type=Path, help="folder to write to; docs for a full run, others only print their page"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the page anew from docs/benchmarks.json; measure nothing"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of: {', '.join(PARTS)}")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    options.parts = options.parts or PARTS
    if options.output is None and not options.quick and options.parts == PARTS:
        options.output = ROOT / "docs"
    return options


def say(what: str) -> None:
    sys.stderr.write(f"{what} ...\n")
    sys.stderr.flush()


if __name__ == "__main__":
    gc.freeze()
    sys.exit(main())
