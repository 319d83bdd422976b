"""A storm by hand: `python -m tests.storm --seed 1 2 3 --seconds 30 --faults valkey postgres flusher worker network`.

Starts a PostgreSQL, a Valkey and a network between, worker processes and flushers, lets them die at random, and
afterwards compares what every worker was told with what the database says. Prints one line a run; exit status 1
when anything does not add up. See docs/redis.md for what is promised.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.storm.run import FAULTS, Run
from tests.storm.weather import Servers


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--store", nargs="+", choices=["database", "redis"], default=["database", "redis"])
    parser.add_argument("--faults", nargs="*", choices=FAULTS, default=[])
    parser.add_argument("--away", choices=["database", "refuse"], default="refuse")
    parser.add_argument("--durability", choices=["async", "sync"], default="async")
    parser.add_argument("--fsync", choices=["always", "everysec"], default="always")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--limit", type=int, default=0, help="videos a user; by default as fits the store")
    given = parser.parse_args(arguments)
    complaints = 0
    with (
        tempfile.TemporaryDirectory(prefix="videoq-storm-") as folder,
        Servers(Path(folder), given.fsync) as servers,
    ):
        for store in given.store:
            for seed in given.seed:
                complaints += Run(given, servers, store, seed, Path(folder) / f"{store}-{seed}").play()
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
