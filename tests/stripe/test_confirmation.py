"""An upgrade that the bank wants the cardholder to confirm (3-D Secure): it waits at Stripe until then."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.exceptions import Conflict, StripeAuthenticationRequired
from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.stripe_service import StripeService
from tests.stripe.lifecycles import NEEDS_3DS_EACH_TIME, ask_to_confirm, confirm
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_standard(site: Site) -> None:
    site.checkout(site.standard, NEEDS_3DS_EACH_TIME, authenticate=True)
    site.settle()


def open_invoices(site: Site) -> list[str]:
    return [str(invoice.hosted_invoice_url) for invoice in site.sandbox.api.invoices.list({"status": "open"})]


def at_stripe(site: Site) -> Any:
    return site.sandbox.api.subscriptions.retrieve(str(site.row.stripe_subscription_id))


def test_nothing_changes_until_it_is_confirmed(site: Site) -> None:
    before = site.snapshot()
    page = ask_to_confirm(site, site.premium)
    site.settle()
    assert site.snapshot() == before
    assert entitlement_for(site.user).plan_slug == "standard"

    confirm(site, page)
    site.settle()
    assert (site.row.plan, site.row.status) == (site.premium, "active")
    newest = PaymentTransaction.objects.latest("created_at", "pk")
    assert (newest.type, newest.status, newest.amount_cents) == ("proration", "succeeded", 3700)


def test_the_success_page_need_not_wait_for_the_webhook(site: Site) -> None:
    confirm(site, ask_to_confirm(site, site.premium))
    assert plan_changes.sync(site.user).plan == site.premium


def test_the_refusal_says_where_to_confirm(site: Site) -> None:
    with pytest.raises(StripeAuthenticationRequired, match="confirm this payment") as refused:
        plan_changes.change(site.user, site.premium)
    assert refused.value.code == "stripe_error"
    assert refused.value.details == {
        "reason": "authentication_required",
        "payment_url": open_invoices(site)[0],
    }


def test_asking_again_leads_to_the_same_page(site: Site) -> None:
    page = ask_to_confirm(site, site.premium)
    assert ask_to_confirm(site, site.premium) == page
    assert open_invoices(site) == [page]


def test_it_expires_after_a_day(site: Site) -> None:
    before = site.snapshot()
    first = ask_to_confirm(site, site.premium)
    site.advance(hours=23)
    site.settle()
    assert site.snapshot() == before
    assert ask_to_confirm(site, site.premium) != first


def test_a_confirmation_that_fails_may_be_repeated(site: Site) -> None:
    page = ask_to_confirm(site, site.premium)
    confirm(site, page, answer="fail")
    site.settle()
    assert (site.row.plan, site.row.status) == (site.standard, "active")
    confirm(site, page)
    site.settle()
    assert site.row.plan == site.premium


class TestMeanwhile:
    def test_another_upgrade_takes_its_place(self, site: Site) -> None:
        larger = site._paid("larger", 9900)
        first = ask_to_confirm(site, site.premium)
        second = ask_to_confirm(site, larger)
        assert open_invoices(site) == [second] != [first]
        confirm(site, second)
        site.settle()
        assert site.row.plan == larger

    def test_a_downgrade_takes_its_place(self, site: Site) -> None:
        small = site._paid("small", 500)
        ask_to_confirm(site, site.premium)
        assert plan_changes.change(site.user, small).pending_plan == small
        assert open_invoices(site) == []

    def test_the_present_plan_drops_it(self, site: Site) -> None:
        ask_to_confirm(site, site.premium)
        row = plan_changes.change(site.user, site.standard)
        assert (row.plan, row.cancel_at_period_end) == (site.standard, False)
        assert open_invoices(site) == []
        assert at_stripe(site).pending_update is None

    @pytest.mark.parametrize("immediate", [False, True])
    def test_cancelling_drops_it(self, site: Site, immediate: bool) -> None:
        ask_to_confirm(site, site.premium)
        User.objects.filter(pk=site.user.pk).update(is_staff=True)
        row = plan_changes.cancel(User.objects.get(pk=site.user.pk), immediate=immediate)
        assert (row.plan, row.cancel_at_period_end) == (site.standard, not immediate)
        assert open_invoices(site) == [], "nobody pays for what is cancelled"

    def test_deleting_the_user_drops_it(self, site: Site) -> None:
        ask_to_confirm(site, site.premium)
        site.user.delete()
        assert open_invoices(site) == []

    def test_a_payment_at_this_very_moment_goes_first(self, site: Site, monkeypatch: Any) -> None:
        """Between our look at the subscription and the closing of its invoice."""
        page = ask_to_confirm(site, site.premium)
        void = StripeService.void_invoice

        def paid_first(invoice_id: str) -> None:
            confirm(site, page)
            void(invoice_id)

        monkeypatch.setattr(StripeService, "void_invoice", staticmethod(paid_first))
        with pytest.raises(Conflict):
            plan_changes.cancel(site.user)
        site.settle()
        assert (site.row.plan, site.row.cancel_at_period_end) == (site.premium, False)


@pytest.mark.parametrize("to", ["small", "free"])
def test_what_is_scheduled_is_taken_back_first(site: Site, to: str) -> None:
    """Stripe would carry it out after the change that was paid for."""
    small = site._paid("small", 500)
    plan_changes.change(site.user, small if to == "small" else site.free)
    site.settle()
    before = site.snapshot()
    with pytest.raises(StripeAuthenticationRequired, match="Take back") as refused:
        plan_changes.change(site.user, site.premium)
    assert refused.value.details == {"reason": "authentication_required", "payment_url": None}
    site.settle()
    assert site.snapshot() == before
    assert open_invoices(site) == []

    plan_changes.change(site.user, site.standard)
    confirm(site, ask_to_confirm(site, site.premium))
    site.settle()
    assert (site.row.plan, site.row.pending_plan, site.row.cancel_at_period_end) == (
        site.premium,
        None,
        False,
    )
