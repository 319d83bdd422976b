"""How many examples the fuzz tests try: a few that are the same each time, or FUZZ_EXAMPLES new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

GIVEN = os.environ.get("FUZZ_EXAMPLES", "")


def examples(few: int) -> settings:
    """The settings of a fuzz test: `few` examples in every run, more where somebody asks for more."""
    return settings(
        max_examples=int(GIVEN or few),
        derandomize=not GIVEN,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
