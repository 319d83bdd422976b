"""Whole lives of a subscription. Each is played once for every manner of delivering its events."""

from __future__ import annotations

import pytest

from django_videoq_billing.exceptions import StripeAuthenticationRequired
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.sandbox.cards import CARDS
from django_videoq_billing.services import plan_changes
from tests.stripe.site import Site

FAILING = [card.number for card in CARDS if card.decline]
NEEDS_3DS = "4000002500003155"
BANK_ACCOUNT, EMPTY_ACCOUNT = "000123456789", "000222222227"
NEEDS_3DS_EACH_TIME = "4000002760003184"
IS_DISPUTED = "4000000000000259"


def first_subscription(site: Site) -> None:
    site.checkout(site.standard)
    site.settle()


def declined_then_paid(site: Site) -> None:
    for card in FAILING:
        assert site.checkout(site.standard, card)["decline_code"], card
        site.settle()
    site.checkout(site.standard)
    site.settle()


def three_d_secure(site: Site) -> None:
    left = site.checkout(site.standard, NEEDS_3DS, authenticate=False)
    assert left["outcome"] == "requires_action"
    site.settle()
    site.checkout(site.standard, NEEDS_3DS, authenticate=True)
    site.settle()


def debit_that_succeeds(site: Site) -> None:
    """checkout.session.async_payment_succeeded, days after the checkout."""
    site.checkout(site.standard, BANK_ACCOUNT)
    site.settle()
    site.advance(days=5)
    site.settle()


def debit_that_fails(site: Site) -> None:
    """checkout.session.async_payment_failed, days after the checkout."""
    site.checkout(site.standard, EMPTY_ACCOUNT)
    site.settle()
    site.advance(days=5)
    site.settle()


def three_d_secure_each_time(site: Site) -> None:
    """Nobody is there to authenticate the renewal."""
    site.checkout(site.standard, NEEDS_3DS_EACH_TIME, authenticate=True)
    site.settle()
    site.advance(days=31, hours=2)
    site.settle()


def renewal(site: Site) -> None:
    first_subscription(site)
    site.advance(days=31)
    site.settle()
    site.advance(hours=2)
    site.settle()


def failed_renewal_recovers(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    site.advance(days=4)
    site.settle()


def failed_renewal_outlasts_the_grace(site: Site) -> None:
    """Stripe is still trying when the site's days of grace are over."""
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    site.advance(days=4)
    site.settle()


def failed_renewal_ends(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    for _ in range(5):
        site.advance(days=5)
        site.settle()


def fail_next_renewal(site: Site, payments: int) -> None:
    customer = site.row.stripe_customer_id
    site.sandbox.control(f"customers/{customer}/fail_next", payments=payments, reason="insufficient_funds")
    site.advance(days=31, hours=2)
    site.settle()


def upgrade(site: Site) -> None:
    first_subscription(site)
    site.advance(days=10)
    plan_changes.change(site.user, site.premium)
    site.settle()


def upgrade_with_three_d_secure(site: Site) -> None:
    """Left once, until it expires; then asked for again and confirmed on Stripe's page."""
    site.checkout(site.standard, NEEDS_3DS_EACH_TIME, authenticate=True)
    site.settle()
    site.advance(days=10)
    ask_to_confirm(site, site.premium)
    site.settle()
    site.advance(days=1)
    site.settle()
    confirm(site, ask_to_confirm(site, site.premium))
    site.settle()


def ask_to_confirm(site: Site, plan: SubscriptionPlan) -> str:
    """Choose the plan with a card that needs 3-D Secure; return the page that the refusal leads to."""
    with pytest.raises(StripeAuthenticationRequired) as refused:
        plan_changes.change(site.user, plan)
    return str(refused.value.details and refused.value.details["payment_url"])


def confirm(site: Site, payment_url: str, answer: str = "complete") -> None:
    """What a person does on the invoice's page, and on the bank's page that follows."""
    card = {"number": NEEDS_3DS_EACH_TIME, "expiry": "12 / 34", "cvc": "123", "name": "Ada"}
    step = site.sandbox.http.post(payment_url, data=card)
    site.sandbox.http.post(step.headers["location"], data={"answer": answer}).raise_for_status()


def downgrade_at_period_end(site: Site) -> None:
    site.checkout(site.premium)
    site.settle()
    site.advance(days=10)
    plan_changes.change(site.user, site.standard)
    site.settle()
    site.advance(days=22)
    site.settle()


def downgrade_and_change_of_mind(site: Site) -> None:
    site.checkout(site.premium)
    site.settle()
    plan_changes.change(site.user, site.standard)
    site.settle()
    site.advance(days=5)
    plan_changes.change(site.user, site.premium)
    site.settle()
    site.advance(days=27)
    site.settle()


def cancel_at_period_end(site: Site) -> None:
    first_subscription(site)
    plan_changes.cancel(site.user)
    site.settle()
    site.advance(days=32)
    site.settle()


def cancel_and_reactivate(site: Site) -> None:
    first_subscription(site)
    plan_changes.cancel(site.user)
    site.settle()
    site.advance(days=3)
    plan_changes.reactivate(site.user)
    site.settle()
    site.advance(days=29)
    site.settle()


def cancel_and_come_back(site: Site) -> None:
    cancel_at_period_end(site)
    site.checkout(site.premium)
    site.settle()


def refund(site: Site) -> None:
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    site.sandbox.api.refunds.create(params={"charge": charge.id, "amount": 500})
    site.settle()
    site.sandbox.api.refunds.create(params={"charge": charge.id})
    site.settle()


def refund_that_fails(site: Site) -> None:
    """The cardholder's account is closed: the bank sends the money back after days."""
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    made = site.sandbox.api.refunds.create(params={"charge": charge.id})
    site.settle()
    site.advance(days=9)
    site.sandbox.control(f"refunds/{made.id}/fail")
    site.settle()


def inquiry(site: Site) -> None:
    """The bank asks, and is answered."""
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    made = site.sandbox.control("disputes", charge=charge.id, inquiry=True)
    site.settle()
    site.advance(days=9)
    site.sandbox.control(f"disputes/{made['id']}/close")
    site.settle()


def dispute(site: Site) -> None:
    first_subscription(site)
    [charge] = site.sandbox.api.charges.list().data
    made = site.sandbox.control("disputes", charge=charge.id, reason="fraudulent")
    site.settle()
    site.advance(days=9)
    site.sandbox.control(f"disputes/{made['id']}/close", won=True)
    site.settle()


def dispute_lost(site: Site) -> None:
    site.checkout(site.standard, IS_DISPUTED)
    site.settle()
    [made] = site.sandbox.api.disputes.list().data
    site.advance(days=9)
    site.sandbox.control(f"disputes/{made.id}/close", won=False)
    site.settle()


def trial(site: Site) -> None:
    site.standard.trial_days = 14
    site.standard.save()
    site.checkout(site.standard)
    site.settle()
    site.advance(days=12)
    site.settle()
    site.advance(days=3)
    site.settle()


LIFECYCLES = [
    first_subscription,
    declined_then_paid,
    three_d_secure,
    debit_that_succeeds,
    debit_that_fails,
    three_d_secure_each_time,
    renewal,
    failed_renewal_recovers,
    failed_renewal_outlasts_the_grace,
    failed_renewal_ends,
    upgrade,
    upgrade_with_three_d_secure,
    downgrade_at_period_end,
    downgrade_and_change_of_mind,
    cancel_at_period_end,
    cancel_and_reactivate,
    cancel_and_come_back,
    refund,
    refund_that_fails,
    inquiry,
    dispute,
    dispute_lost,
    trial,
]
