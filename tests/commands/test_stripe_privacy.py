"""The commands that speak to Stripe: an operator's terminal may show ids, though no secret; the log shows neither."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.core.management.base import CommandError

from tests.commands.conftest import Run
from tests.leaks import SECRETS, hear_everything, leaks, of_the_site, written
from tests.stripe_site import OperatorsDriver

SILENT = {
    "assign_default_plan",
    "billing_groups",
    "billing_metrics",
    "export_billing_data",
    "expire_reservations",
    "flush_usage",
    "import_users",
    "rebuild_figures",
    "rebuild_usage",
    "seed_plans",
    "show_usage",
    "stripe_sandbox",
    "transcription_costs",
}
SPEAKING: dict[str, Callable[[Run], str]] = {
    "sync_stripe_plans": lambda run: run("sync_stripe_plans") + run("sync_stripe_plans", pull=True),
    "fetch_missed_events": lambda run: run("fetch_missed_events"),
    "process_webhooks": lambda run: run("process_webhooks"),
    "replay_webhooks": lambda run: run("replay_webhooks", since="1d"),
    "reconcile_stripe": lambda run: run("reconcile_stripe", dry_run=True) + run("reconcile_stripe"),
    "run_billing_jobs": lambda run: run("run_billing_jobs", all=True),
    "sync_stripe": lambda run: run("sync_stripe", "grace") + run("sync_stripe", all=True),
    "anonymise_billing_data": lambda run: run("anonymise_billing_data", "grace", cancel=True, yes=True),
}


def test_every_command_is_named_here() -> None:
    ours = {name for name, app in get_commands().items() if app == "django_videoq_billing"}
    assert ours == SILENT | SPEAKING.keys()


@pytest.mark.parametrize("outage", [0, 10_000], ids=["Stripe answers", "Stripe is away"])
def test_the_log_of_the_commands_tells_nothing(
    run: Run, stripe_account: OperatorsDriver, customer: User, caplog: pytest.LogCaptureFixture, outage: int
) -> None:
    hear_everything(caplog)
    if outage:
        SPEAKING["fetch_missed_events"](run)
    stripe_account.control("outage", mode="503", requests=outage)
    printed = []
    for command in SPEAKING.values():
        try:
            printed.append(command(run))
        except CommandError as error:
            assert outage
            printed.append(str(error))

    assert not [secret for secret in SECRETS for text in printed if secret in text]
    heard = of_the_site(caplog.records)
    assert {"stripe", "urllib3.connectionpool"} <= {record.name for record in heard}
    for record in heard:
        assert not leaks(written(record)), (record.name, record.getMessage())
