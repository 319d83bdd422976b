"""Every check of the project, with a table at the end: `python -m tests.run_checks` (tox env "check" calls it).

All of them run even if one fails, so that one run tells everything; the end of what the failed ones said is repeated before
the table. With arguments only pytest runs, with those.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from typing import NamedTuple

# One more than there are cores: a fifth of the time tests wait for servers and for processes that they have started.
PARALLEL = f"--numprocesses {min(4, (os.cpu_count() or 1) + 1)}"
COVERAGE = "--cov --cov-report="  # of the tests on SQLite alone: it makes them half as slow again
# The races need it; what counts and decides must agree with it, too. The rest runs there in the matrix of tox.
ON_POSTGRES = """
    tests/commands/test_flush_usage.py tests/decorators tests/jobs tests/seed tests/services tests/simulation tests/usage
    tests/stripe/test_celery.py tests/stripe/test_corners.py tests/stripe/test_surplus.py tests/stripe/test_workers.py tests/test_migrations_on_a_server.py
"""
CHECKS = {
    "lint": "ruff check",
    "format": "ruff format --check",
    "types": "mypy",
    "imports": "lint-imports --no-logo",
    "front end": "python -m scripts.frontend check",
    "security": "bandit -q -c pyproject.toml -r django_videoq_billing",
    "package": "python -m tests.packaging",
    "migrations": "django-admin makemigrations --check --dry-run videoq_billing videos",
    "tests on SQLite": f"pytest -m 'not postgres and not browser' {PARALLEL} {COVERAGE}",
    "coverage": "coverage report",  # by itself, so that what a failed test says is the last that pytest says
    "tests on PostgreSQL": f"python -m tests.with_postgres pytest {ON_POSTGRES} {PARALLEL}",
    "tests under unfold": "pytest --ds tests.settings_unfold tests/unfold",
    "tests in a browser": "pytest -m browser -rs tests/browser --numprocesses 2",
    "docs": "zensical build --strict",  # without --clean, which would empty .cache
}


REPEATED = 6000  # bytes
LISTENED_AFTERWARDS = 5.0  # seconds


class Result(NamedTuple):
    failed: bool
    seconds: float
    end: str
    """The last that it said."""


def main(pytest_arguments: list[str]) -> int:
    if pytest_arguments:
        return int(run("tests", f"pytest {shlex.join(pytest_arguments)}").failed)
    results = {name: run(name, command) for name, command in CHECKS.items()}
    for name, result in results.items():
        if result.failed:
            say(f"{name}, once more")
            print(result.end)
    say("summary")
    for name, result in results.items():
        print(f"  {name:<20} {'FAILED' if result.failed else 'passed'} {result.seconds:7.1f} s")
    return int(any(result.failed for result in results.values()))


def run(name: str, command: str) -> Result:
    say(name)
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if name == "tests on SQLite":
        env.pop("DATABASE_URL", None)
    began = time.monotonic()
    check = subprocess.Popen(shlex.split(command), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = bytearray()
    listener = threading.Thread(target=pass_on, args=(check, said), daemon=True)
    listener.start()
    failed = check.wait() != 0
    listener.join(LISTENED_AFTERWARDS)  # a server that it left behind may go on holding the line
    return Result(failed, time.monotonic() - began, said.decode(errors="replace"))


def pass_on(check: subprocess.Popen[bytes], said: bytearray) -> None:
    assert check.stdout
    while some := os.read(check.stdout.fileno(), 65536):
        sys.stdout.buffer.write(some)
        sys.stdout.flush()
        said[:] = (said + some)[-REPEATED:]


def say(title: str) -> None:
    print(f"\n--- {title} ---", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
