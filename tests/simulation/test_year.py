"""The short form of `python -m tests.simulation`: eight weeks of six users."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.postgres


def test_everything_adds_up_in_the_end() -> None:
    options = "--seed 2 --users 6 --days 56"
    command = [sys.executable, "-m", "tests.simulation", *options.split()]
    year = subprocess.run(command, capture_output=True, text=True, timeout=600)  # noqa: S603

    assert year.returncode == 0, year.stdout + year.stderr
    assert "WRONG" not in year.stdout
    assert year.stdout.count("\n  ok ") == 14
