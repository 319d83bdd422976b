from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from django_videoq_billing.models import PaymentTransaction, UserSubscription
from tests.commands.conftest import Run
from tests.factories import make_user
from tests.stripe_site import OperatorsDriver, row_of, subscribe


def ledger() -> list[tuple[str, str, int]]:
    return list(
        PaymentTransaction.objects.order_by("amount_cents").values_list("type", "status", "amount_cents")
    )


def test_one_user(run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    for _ in range(2):
        assert run("sync_stripe", "grace") == "grace: standard (active)\n"
        assert ledger() == [
            ("dispute", "disputed", -1200),
            ("subscription_refund", "refunded", -500),
            ("subscription_payment", "succeeded", 1200),
        ]
    assert apps.get_model("djstripe", "Subscription").objects.count() == 1


def test_all(run: Run, stripe_account: OperatorsDriver, customer: User, ada: User) -> None:
    lovelace = subscribe(stripe_account, make_user(username="lovelace"), "premium")
    for _ in range(2):
        assert run("sync_stripe", all=True) == "Rebuilt 2 customers.\n"
    assert [row_of(user).plan.slug for user in (customer, lovelace, ada)] == ["standard", "premium", "free"]
    assert [amount for *_, amount in ledger()] == [1200, 4900]
    assert apps.get_model("djstripe", "Price").objects.count() == 2
    assert apps.get_model("djstripe", "Customer").objects.count() == 2


def test_more_than_one_batch(
    run: Run, stripe_account: OperatorsDriver, customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_videoq_billing.services.stripe_rebuild.BATCH", 1)
    subscribe(stripe_account, make_user(), "premium")
    assert run("sync_stripe", all=True) == "Rebuilt 2 customers.\n"


def test_what_was_lost_here_comes_back(run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
    run("sync_stripe", "grace")
    before = UserSubscription.objects.values().get(user=customer)
    free = UserSubscription.objects.filter(user=customer)
    free.update(status="cancelled", stripe_subscription_id=None, plan=row_of(customer).plan)
    PaymentTransaction.objects.all()._raw_delete("default")
    run("sync_stripe", "grace")
    after = UserSubscription.objects.values().get(user=customer)
    moving = {"updated_at"} | {name for name in after if name.startswith("sync")}
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }
    assert ledger() == [("subscription_payment", "succeeded", 1200)]


@pytest.mark.parametrize("arguments", [("grace",), ("--all",)])
def test_a_forgotten_customer_is_found(
    run: Run, stripe_account: OperatorsDriver, customer: User, arguments: tuple[str]
) -> None:
    """As after a backup from before the checkout was restored."""
    known = row_of(customer).stripe_customer_id
    UserSubscription.objects.filter(user=customer).update(stripe_customer_id=None)
    for _ in range(2):
        run("sync_stripe", *arguments)
        assert (row_of(customer).stripe_customer_id, row_of(customer).plan.slug) == (known, "standard")
    assert ledger() == [("subscription_payment", "succeeded", 1200)]


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "somebody.else@example.com"},
        {"metadata": {"user_id": "999999"}},
        {"metadata": {"user_id": "8f3c-of-another-site"}},
        {"metadata": {"user_id": ""}},
    ],
)
def test_a_strangers_customer_is_left_alone(
    run: Run, stripe_account: OperatorsDriver, customer: User, changes: Any
) -> None:
    known = str(row_of(customer).stripe_customer_id)
    UserSubscription.objects.filter(user=customer).update(stripe_customer_id=None)
    stripe_account.api.customers.update(known, params=changes)
    assert run("sync_stripe", all=True) == "Rebuilt 0 customers.\n"
    assert run("sync_stripe", "grace") == "grace is not a customer at Stripe; nothing to do.\n"


def test_a_customer_deleted_at_stripe(run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
    run("sync_stripe", "grace")
    stripe_account.api.customers.delete(str(row_of(customer).stripe_customer_id))
    assert run("sync_stripe", "grace") == "grace: standard (cancelled)\n"
    assert run("sync_stripe", all=True) == "Rebuilt 1 customer.\n"


def test_trouble_with_one_does_not_leave_the_others_out(
    run: Run, stripe_account: OperatorsDriver, customer: User, capsys: pytest.CaptureFixture[str]
) -> None:
    subscribe(stripe_account, make_user(), "premium")
    UserSubscription.objects.filter(user=customer).update(stripe_customer_id="../no customer")
    with pytest.raises(CommandError, match="1 customer could not be rebuilt"):
        run("sync_stripe", all=True)
    assert "grace: The payment service" in capsys.readouterr().err
    assert [amount for *_, amount in ledger()] == [4900]


def test_without_stripe_it_stops(run: Run, stripe_account: OperatorsDriver, customer: User) -> None:
    stripe_account.http.post("/_sandbox/outage", json={"mode": "503", "requests": 1})
    with pytest.raises(CommandError, match="Stripe cannot be reached"):
        run("sync_stripe", all=True)


def test_who_is_no_customer(run: Run, stripe_account: OperatorsDriver, ada: User) -> None:
    assert run("sync_stripe", "ada") == "ada is not a customer at Stripe; nothing to do.\n"


@pytest.mark.parametrize("given", [{}, {"user": "ada", "all": True}])
def test_one_or_all(run: Run, stripe_account: OperatorsDriver, given: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="Give one user, or --all"):
        run("sync_stripe", **given)
