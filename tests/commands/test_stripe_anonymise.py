from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from django_videoq_billing.models import PaymentTransaction, UsageReservation, UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.commands.conftest import Run
from tests.factories import make_payment
from tests.stripe_site import OperatorsDriver, row_of


@pytest.fixture
def busy_ada(ada: User) -> User:
    """Two payments and an upload, and no customer at Stripe any more."""
    make_payment(user=ada)
    make_payment(user=ada)
    UsageTracker.reserve(ada, "video", 1, key="upload-1").commit()
    return ada


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    """Type `answer` at the prompt; return what was asked."""
    asked: list[str] = []

    def _input(prompt: str = "") -> str:
        asked.append(prompt)
        return answer

    monkeypatch.setattr("builtins.input", _input)
    return asked


def untouched(user: User) -> bool:
    return (
        PaymentTransaction.objects.filter(user=user).count() == 2
        and UsageReservation.objects.get().key is not None
    )


def test_after_confirmation(run: Run, busy_ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "ada")
    assert run("anonymise_billing_data", "ada").splitlines() == [
        "To take out: 2 lines of the ledger, 1 client key.",
        "Taken out: 2 lines of the ledger, 1 client key.",
        "Done. The user's own row is yours to delete or to change.",
    ]
    assert asked == ["This cannot be undone. Type 'ada' to go on: "]
    assert [(line.user, line.amount_cents) for line in PaymentTransaction.objects.all()] == [(None, 1200)] * 2
    assert run("anonymise_billing_data", "ada", yes=True).startswith(
        "To take out: nothing.\nTaken out: nothing.\n"
    )


@pytest.mark.parametrize("answer", ["", "y", "yes", "Ada"])
def test_anything_else_is_no(run: Run, busy_ada: User, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(CommandError, match="Not confirmed; nothing was changed"):
        run("anonymise_billing_data", "ada")
    assert untouched(busy_ada)


def test_nobody_there_to_ask(run: Run, busy_ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    with pytest.raises(CommandError, match="give --yes"):
        run("anonymise_billing_data", "ada")
    assert untouched(busy_ada)


def test_a_dry_run_asks_nothing_and_changes_nothing(
    run: Run, busy_ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, "ada")
    assert run("anonymise_billing_data", "ada", dry_run=True).splitlines() == [
        "There is: 2 lines of the ledger, 1 client key.",
        "Dry run: nothing was changed.",
    ]
    assert (asked, untouched(busy_ada)) == ([], True)


def test_a_living_subscription_is_refused_unless_it_is_to_be_cancelled(
    run: Run, stripe_account: OperatorsDriver, customer: User
) -> None:
    run("sync_stripe", "grace")
    with pytest.raises(CommandError, match=r"grace has a subscription at Stripe \(active\).*--cancel"):
        run("anonymise_billing_data", "grace", yes=True)
    assert {one.status for one in stripe_account.api.subscriptions.list()} == {"active"}

    said = run("anonymise_billing_data", "grace", yes=True, cancel=True)

    assert "Taken out: 1 line of the ledger," in said
    assert said.splitlines()[-2].endswith("Stripe's ids.")
    assert row_of(customer).stripe_customer_id is None
    assert not list(stripe_account.api.subscriptions.list())


def test_one_that_has_not_arrived_here_yet_is_refused_too(
    run: Run, stripe_account: OperatorsDriver, customer: User
) -> None:
    with pytest.raises(CommandError, match=r"Stripe has a subscription of grace\..*--cancel"):
        run("anonymise_billing_data", "grace", yes=True)


def test_without_stripe_it_stops_and_goes_on_later(
    run: Run, stripe_account: OperatorsDriver, customer: User
) -> None:
    stripe_account.control("outage", mode="503", requests=1)
    with pytest.raises(CommandError, match=r"Stripe cannot be reached\. What was done is kept; run it again"):
        run("anonymise_billing_data", "grace", yes=True, cancel=True)
    assert row_of(customer).stripe_customer_id
    run("anonymise_billing_data", "grace", yes=True, cancel=True)
    assert row_of(customer).stripe_customer_id is None


def test_without_a_key_it_says_so(run: Run, ada: User, settings: Any) -> None:
    UserSubscription.objects.filter(user=ada).update(stripe_customer_id="cus_1")
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY'] is empty"):
        run("anonymise_billing_data", "ada", yes=True)
