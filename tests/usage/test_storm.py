"""The short form of `python -m tests.storm`: real processes on a PostgreSQL and a Valkey of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.databases import about_postgresql

pytestmark = [pytest.mark.postgres, about_postgresql]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("--store database redis --seed 1 --seconds 2", id="no faults"),
        pytest.param(
            "--store redis --seed 3 --seconds 6 --faults valkey postgres flusher worker network", id="all"
        ),
        pytest.param("--store redis --seed 4 --seconds 5 --away database --faults valkey network", id="away"),
        pytest.param(
            "--store redis --seed 6 --seconds 4 --durability sync --faults valkey postgres", id="sync"
        ),
        pytest.param("--store database --seed 5 --seconds 5 --faults postgres worker", id="database"),
    ],
)
def test_what_was_told_and_what_was_counted_agree(options: str) -> None:
    command = [sys.executable, "-m", "tests.storm", *options.split()]
    storm = subprocess.run(command, capture_output=True, text=True, timeout=300)  # noqa: S603

    assert storm.returncode == 0, storm.stdout + storm.stderr
