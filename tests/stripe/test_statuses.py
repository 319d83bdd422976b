"""The statuses that the lifecycles do not meet: unpaid for good, and paused after a trial without a card."""

from __future__ import annotations

import pytest

from django_videoq_billing.exceptions import Conflict
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.entitlements import entitlement_for
from tests.stripe.lifecycles import fail_next_renewal, first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def test_unpaid_gives_nothing_until_it_is_paid(site: Site) -> None:
    site.sandbox.control("switches", after_retries="unpaid")
    first_subscription(site)
    fail_next_renewal(site, payments=4)
    site.advance(days=20)
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("unpaid", "free")
    with pytest.raises(Conflict, match="open payment"):
        plan_changes.change(site.user, site.premium)

    [invoice] = site.sandbox.api.invoices.list({"status": "open"}).data
    site.sandbox.api.invoices.pay(str(invoice.id))
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("active", "standard")


def paused(site: Site) -> str:
    """A trial that ended without a card; returns the subscription's id."""
    customer = site.sandbox.customer(None).id
    UserSubscription.objects.filter(user=site.user).update(stripe_customer_id=customer)
    subscription = site.sandbox.subscribe(
        customer,
        str(site.standard.stripe_price_id),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("trialing", "standard")
    site.advance(days=8)
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("paused", "free")
    return subscription.id


def test_paused_gives_nothing_until_it_is_resumed(site: Site) -> None:
    subscription = paused(site)
    for move in (plan_changes.preview, plan_changes.change):
        with pytest.raises(Conflict, match="is paused"):
            move(site.user, site.premium)

    customer = str(site.row.stripe_customer_id)
    method = site.sandbox.api.payment_methods.attach("pm_card_visa", params={"customer": customer})
    site.sandbox.api.customers.update(
        customer, params={"invoice_settings": {"default_payment_method": method.id}}
    )
    site.sandbox.api.subscriptions.resume(subscription)
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("active", "standard")


def test_paused_is_cancelled_at_once(site: Site) -> None:
    paused(site)

    row = plan_changes.cancel(site.user)

    assert (row.status, entitlement_for(site.user).plan_slug) == ("cancelled", "free")
    site.checkout(site.premium)
    site.settle()
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("active", "premium")
