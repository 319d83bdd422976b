"""Money that goes back to a customer who is the user's no more: the ledger does not forget whose payment it was."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.webhooks import inbox
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site, process

pytestmark = pytest.mark.django_db


def replaced(site: Site) -> str:
    """A customer who paid was deleted in the dashboard, and the user subscribed anew; return the first charge."""
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    former = site.row.stripe_customer_id
    site.sandbox.api.customers.delete(str(former))
    site.settle()
    site.checkout(site.premium)
    site.settle()
    assert site.row.stripe_customer_id != former
    return charge.id


def given_back(**who: Any) -> list[tuple[str, str, int]]:
    lines = PaymentTransaction.objects.filter(amount_cents__lt=0, **who).order_by("pk")
    return list(lines.values_list("type", "status", "amount_cents"))


def test_a_refund(site: Site) -> None:
    charge = replaced(site)
    site.sandbox.api.refunds.create(params={"charge": charge, "amount": 500})
    site.settle()
    assert given_back(user=site.user) == [("subscription_refund", "refunded", -500)]

    inbox.replay(WebhookEvent.objects.all())
    process()
    assert given_back() == [("subscription_refund", "refunded", -500)]


def test_a_dispute(site: Site) -> None:
    charge = replaced(site)
    made = site.sandbox.control("disputes", charge=charge, reason="fraudulent")
    site.settle()
    site.sandbox.control(f"disputes/{made['id']}/close", won=True)
    site.settle()
    assert given_back(user=site.user) == [("dispute", "disputed", -1200)]
    assert PaymentTransaction.objects.get(type="dispute", status="succeeded").user == site.user


def test_of_a_deleted_user_the_line_names_nobody(site: Site) -> None:
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    site.user.delete()
    site.sandbox.api.refunds.create(params={"charge": charge.id})
    site.settle()
    assert given_back(user=None) == [("subscription_refund", "refunded", -1200)]


def test_a_strangers_refund_is_no_line(site: Site) -> None:
    stranger = site.sandbox.customer()
    site.sandbox.subscribe(stranger.id, str(site.standard.stripe_price_id))
    [charge] = site.sandbox.api.charges.list().data
    site.sandbox.api.refunds.create(params={"charge": charge.id})
    site.settle()
    assert not PaymentTransaction.objects.exists()
    assert set(WebhookEvent.objects.values_list("error", flat=True)) == {""}
