"""One run, once the servers are there. Django is set up by importing this."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Collection

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks import calls, flushing, machine, populations, races, receipts  # noqa: E402
from benchmarks.measuring import Effort  # noqa: E402
from benchmarks.people import population  # noqa: E402
from benchmarks.report import Report  # noqa: E402


def run(parts: Collection[str], *, quick: bool, rng: random.Random, say: Callable[[str], None]) -> Report:
    for name in settings.DATABASES:
        with population(name):
            call_command("migrate", database=name, run_syncdb=True, verbosity=0)
    gc.freeze()  # what is there already need not be looked through between the turns
    report = Report(machine=machine.describe())
    effort = Effort(5, 0.005) if quick else Effort(150, 0.02, most_seconds=120)
    if "calls" in parts:
        calls.measure(report, effort, rng, say)
    if "races" in parts:
        races.measure(report, 2 if quick else 10, say)
    if "populations" in parts:
        populations.measure(report, effort, rng, say)
    if "flush" in parts:
        flushing.measure(report, 5 if quick else 100, rng, say)
    if "receipts" in parts:
        receipts.measure(report, Effort(5 if quick else 100, 0, most_seconds=120), rng, say)
    return report
