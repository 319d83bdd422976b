"""A year by hand: `python -m tests.simulation --seed 1 --users 200 --days 365`.

A site with two worker processes on a PostgreSQL and a Valkey of its own lives beside the sandbox, whose clock is moved
step by step. Users sign up, pay, fail to pay, recover, change, cancel and come back, and upload; events are shuffled,
doubled, late, and 5 % of them lost; workers and Valkey are killed, Stripe and the mail server are away for a while.
In the end everything must add up. Prints what was compared; exit status 1 when anything does not.
See docs/operations.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.proxy import proxy
from tests.sandbox.driver import KEY, Driver, running
from tests.storm.weather import Servers

START = 1_893_456_000
"""2030-01-01: ahead of the real clock, so that nothing is over before it has begun."""
SECRET = "whsec_of_the_simulation"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--calm", action="store_true", help="nothing dies, and no job is left out")
    parser.add_argument("--log", default=os.devnull, help="a file for what the site logs")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and take the servers along
    with (
        tempfile.TemporaryDirectory(prefix="videoq-year-") as folder,
        Servers(Path(folder), "always") as servers,
        running("--seed", f"year {given.seed}", "--start", str(START)) as sandbox,
    ):
        load_the_site(sandbox, servers, Path(folder) / "post.jsonl", given.log)
        return 1 if live(given, sandbox, servers) else 0


def live(given: argparse.Namespace, sandbox: Driver, servers: Servers) -> int:
    """Returns how much does not add up; says so on the way."""
    import time_machine

    from tests.simulation.account import Account, moment
    from tests.simulation.grace import judge_grace
    from tests.simulation.verdict import judge
    from tests.simulation.year import Plan, Year, prepare

    print(f"seed {given.seed}: {given.users} users, {given.days} days", flush=True)
    began = time.monotonic()
    with (
        time_machine.travel(moment(START), tick=False) as clock,
        proxy(urlsplit(sandbox.url).port or 0) as network,
    ):
        prepare()
        where_stripe_is(f"http://127.0.0.1:{network.port}")  # for the workers, which are not started yet
        plan = Plan(given.seed, given.users, given.days, given.calm)
        year = Year(plan, Account(sandbox), servers, network, clock)
        year.look = judge_grace
        year.live()
        complaints = judge(year)
    print(f"seed {given.seed}: {complaints} complaints, {time.monotonic() - began:.0f} s", flush=True)
    return complaints


def load_the_site(sandbox: Driver, servers: Servers, post: Path, log: str) -> None:
    """In this process, and through the environment in those that are forked."""
    where_stripe_is(sandbox.url)
    os.environ |= {
        "DATABASE_URL": servers.database_url,
        "SIMULATION_REDIS": servers.redis_url,
        "SIMULATION_POST": str(post),
        "SIMULATION_LOG": log,
        "DJANGO_SETTINGS_MODULE": "tests.simulation.settings",
    }
    import django

    django.setup()


def where_stripe_is(url: str) -> None:
    stripe = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": url}
    os.environ["SIMULATION_BILLING"] = json.dumps(stripe)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
