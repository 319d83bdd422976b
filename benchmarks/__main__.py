"""`python -m benchmarks`: start the servers, measure, write docs/benchmarks.md and its picture."""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parent.parent
PARTS = ("calls", "races", "populations", "receipts")


def main() -> int:
    options = read_arguments()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    from benchmarks.servers import all_servers

    populations = ("1000", "10000") if options.quick else ("1000", "100000", "1000000")
    with all_servers(populations if "populations" in options.parts else ()):
        from benchmarks.run import run

        began = monotonic()
        report = run(options.parts, quick=options.quick, rng=random.Random(options.seed), say=say)
        report.facts["seconds"] = monotonic() - began
    from benchmarks import page, plot

    text = page.render(report)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    (options.output / "images").mkdir(parents=True, exist_ok=True)
    report.save(options.output / "benchmarks.json")
    (options.output / "benchmarks.md").write_text(text, encoding="utf-8")
    plot.draw(report, options.output / "images/benchmarks.png")
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less than a minute, to see that it works")
    parser.add_argument("--seed", type=int, default=1, help="of the order of turns and of who asks")
    parser.add_argument(
        "--output", type=Path, help="where to write; docs for a full run, a quick one only prints its page"
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
