"""Every check of the project, with a table at the end: `python -m tests.run_checks` (tox env "check" calls it).

All of them run even if one fails, so that one run tells everything. With arguments only pytest runs, with those.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time

# One more than there are cores: a fifth of the time tests wait for servers and for processes that they have started.
PARALLEL = f"--numprocesses {min(4, (os.cpu_count() or 1) + 1)}"
COVERAGE = "--cov --cov-report=term"  # of the tests on SQLite alone: it makes them half as slow again
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
    "tests on PostgreSQL": f"python -m tests.with_postgres pytest {ON_POSTGRES} {PARALLEL}",
    "tests under unfold": "pytest --ds tests.settings_unfold tests/unfold",
    "tests in a browser": "pytest -m browser -rs tests/browser --numprocesses 2",
    "docs": "zensical build --strict",  # without --clean, which would empty .cache
}


def main(pytest_arguments: list[str]) -> int:
    if pytest_arguments:
        return run("tests", f"pytest {shlex.join(pytest_arguments)}")[0]
    results = {name: run(name, command) for name, command in CHECKS.items()}
    say("summary")
    for name, (code, seconds) in results.items():
        print(f"  {name:<20} {'FAILED' if code else 'passed'} {seconds:7.1f} s")
    return 1 if any(code for code, _ in results.values()) else 0


def run(name: str, command: str) -> tuple[int, float]:
    """Its exit code and seconds."""
    say(name)
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if name == "tests on SQLite":
        env.pop("DATABASE_URL", None)
    began = time.monotonic()
    code = subprocess.call(shlex.split(command), env=env)
    return code, time.monotonic() - began


def say(title: str) -> None:
    print(f"\n--- {title} ---", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
