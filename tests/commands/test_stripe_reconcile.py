from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from tests.commands.conftest import Run
from tests.leaks import leaks
from tests.stripe_site import OperatorsDriver, row_of


def test_it_tells_and_mends(run: Run, customer: User) -> None:
    looked = run("reconcile_stripe", dry_run=True)
    assert f"user {customer.pk}" in looked
    assert "plan                  free here, standard at Stripe\n" in looked
    assert "missing_payment       - here, $12.00 succeeded at Stripe\n" in looked
    assert looked.endswith(" 0 mended.\n")
    assert row_of(customer).plan.slug == "free"

    mended = run("reconcile_stripe")
    assert "plan                  free here, standard at Stripe: mended\n" in mended
    assert row_of(customer).plan.slug == "standard"
    assert not leaks(looked + mended)

    assert run("reconcile_stripe") == "Compared subscriptions: 1, invoices: 1.\nNothing differs.\n"


def test_as_json(run: Run, customer: User) -> None:
    report = json.loads(run("reconcile_stripe", dry_run=True, format="json"))
    assert report["dry_run"] is True
    assert report["differences"]["plan"] == 1
    assert {found["user_id"] for found in report["first"]} == {str(customer.pk)}


def test_one_user(run: Run, customer: User, ada: User) -> None:
    assert "free here, standard at Stripe: mended" in run("reconcile_stripe", user="grace")
    assert row_of(customer).plan.slug == "standard"
    with pytest.raises(CommandError, match="ada is not a customer at Stripe"):
        run("reconcile_stripe", user="ada")
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        run("reconcile_stripe", user="nobody")


def test_days_must_make_sense(run: Run, stripe_account: OperatorsDriver) -> None:
    with pytest.raises(CommandError, match="--days must be 1 or more"):
        run("reconcile_stripe", days=0)


def test_an_outage_is_a_sentence(run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
    stripe_account.control("outage", mode="503", requests=100)
    with pytest.raises(CommandError, match="Stripe cannot be reached"):
        run("reconcile_stripe")
