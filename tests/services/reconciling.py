"""A customer of whom everything is written down, and what a reconciliation says of that."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.services import stripe_rebuild
from django_videoq_billing.services.reconciliation import Reconciliation
from tests.stripe_site import OperatorsDriver, row_of


@pytest.fixture
def known(stripe_account: OperatorsDriver, customer: User) -> User:
    """A paying customer of whom everything is written down here."""
    stripe_rebuild.rebuild(str(row_of(customer).stripe_customer_id))
    return customer


def reconcile(**how: Any) -> dict[str, Any]:
    work = Reconciliation(**how)
    for _ in work.steps():
        pass
    return work.report


def kinds(report: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = report["differences"]
    return found


def forget_payments() -> None:
    PaymentTransaction.objects.all()._raw_delete("default")
