"""The ledger is append-only, whichever way code reaches for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction

from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.models.payments import AppendOnlyError
from tests.factories import make_payment, make_user

pytestmark = pytest.mark.django_db

Lines = PaymentTransaction.objects


def lines_of(line: PaymentTransaction) -> Any:
    assert line.user is not None
    return line.user.payment_transactions


def save_again(line: PaymentTransaction) -> None:
    line.amount_cents = 1
    line.save()


def save_fetched(line: PaymentTransaction) -> None:
    save_again(Lines.get(pk=line.pk))


def save_over(line: PaymentTransaction) -> None:
    """A new object that claims the old one's primary key."""
    copy = PaymentTransaction(
        pk=line.pk,
        user=line.user,
        stripe_object_id="in_other",
        amount_cents=1,
        currency="USD",
        type=line.type,
        status=line.status,
        recorded_at=line.recorded_at,
    )
    copy.save()


def bulk_update(line: PaymentTransaction) -> None:
    line.amount_cents = 1
    Lines.bulk_update([line], ["amount_cents"])


def update_or_create(line: PaymentTransaction) -> None:
    Lines.update_or_create(stripe_object_id=line.stripe_object_id, defaults={"amount_cents": 1})


def bulk_create_over(line: PaymentTransaction) -> None:
    twin = PaymentTransaction(
        user=line.user,
        stripe_object_id=line.stripe_object_id,
        amount_cents=1,
        currency="USD",
        type=line.type,
        status=line.status,
    )
    Lines.bulk_create(
        [twin],
        update_conflicts=True,
        update_fields=["amount_cents"],
        unique_fields=["stripe_object_id", "type", "status"],
    )


ATTACKS: list[Any] = [
    save_again,
    save_fetched,
    lambda line: line.save(update_fields=["status"]),
    lambda line: line.save(force_update=True),
    lambda line: line.delete(),
    lambda line: Lines.filter(pk=line.pk).update(amount_cents=1),
    lambda line: Lines.all().delete(),
    lambda line: Lines.filter(pk=line.pk).order_by("pk").delete(),
    lambda line: async_to_sync(Lines.filter(pk=line.pk).aupdate)(amount_cents=1),
    lambda line: async_to_sync(Lines.all().adelete)(),
    lambda line: async_to_sync(line.adelete)(),
    bulk_update,
    update_or_create,
    lambda line: Lines.update_or_create(stripe_object_id="in_new", defaults={"user": line.user}),
    lambda line: lines_of(line).all().delete(),
    lambda line: lines_of(line).update(amount_cents=1),
    lambda line: lines_of(line).set([]),
    lambda line: make_user().payment_transactions.add(line, bulk=False),
    save_over,
    bulk_create_over,
    lambda line: make_user().payment_transactions.add(line),
    lambda line: Lines.bulk_create([line], None, False, True, ["amount_cents"], ["id"]),
    lambda line: Lines.filter(pk=line.pk).update(user=make_user()),
    lambda line: Lines.filter(pk=line.pk).update(invoice_url="https://example.com/other"),
    lambda line: Lines.filter(pk=line.pk).update(user=None, description=""),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_line_cannot_be_changed_or_deleted(attack: Callable[[PaymentTransaction], Any]) -> None:
    line = make_payment()
    before = Lines.filter(pk=line.pk).values().get()
    with pytest.raises((AppendOnlyError, IntegrityError)), transaction.atomic():
        attack(line)
    assert Lines.filter(pk=line.pk).values().get() == before


def test_deleting_a_user_keeps_the_line_and_takes_the_person_out() -> None:
    line = make_payment()
    before = Lines.filter(pk=line.pk).values().get()
    assert line.user is not None
    line.user.delete()
    assert Lines.filter(pk=line.pk).values().get() == {**before, "user_id": None}


def test_lines_may_be_created_in_bulk_and_found_or_created() -> None:
    user = make_user()
    values = {"amount_cents": -5, "currency": "USD", "type": "subscription_refund", "status": "refunded"}
    Lines.bulk_create([PaymentTransaction(user=user, stripe_object_id=f"re_{n}", **values) for n in range(3)])
    line, created = Lines.get_or_create(stripe_object_id="re_0", defaults={"user": user, **values})
    assert (created, line.amount_cents, Lines.count()) == (False, -5, 3)


def test_newest_first() -> None:
    lines = [make_payment() for _ in range(3)]
    assert list(Lines.all()) == lines[::-1]
