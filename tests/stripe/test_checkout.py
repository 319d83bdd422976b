"""Buying a plan: the checkout page and the way back from it."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    InvalidPlan,
    NoSubscription,
    StripeUnavailable,
    SubscriptionExists,
)
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.stripe_service import StripeService
from tests.factories import make_plan, make_user
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site

pytestmark = pytest.mark.django_db


def open_page(site: Site, plan: Any, user: Any = None) -> Any:
    return start_checkout(user or site.user, plan, "https://testserver/ok", "https://testserver/no")


class TestCheckout:
    def test_an_open_page_is_used_again(self, site: Site) -> None:
        assert open_page(site, site.standard).id == open_page(site, site.standard).id

    def test_choosing_another_plan_closes_the_first_page(self, site: Site) -> None:
        first, second = open_page(site, site.standard), open_page(site, site.premium)
        assert site.sandbox.api.checkout.sessions.retrieve(first.id).status == "expired"
        assert second.is_open

    def test_a_closed_page_can_be_opened_anew(self, site: Site) -> None:
        first = open_page(site, site.standard)
        site.sandbox.api.checkout.sessions.expire(first.id)
        assert open_page(site, site.standard).is_open

    def test_a_paying_user_gets_no_second_subscription(self, site: Site) -> None:
        first_subscription(site)
        with pytest.raises(SubscriptionExists):
            open_page(site, site.premium)
        with pytest.raises(AlreadyOnPlan):
            open_page(site, site.standard)

    def test_nor_while_the_webhook_is_late(self, site: Site) -> None:
        site.checkout(site.standard)
        with pytest.raises(SubscriptionExists):
            open_page(site, site.premium)

    def test_a_trial_is_given_once(self, site: Site) -> None:
        for plan in (site.standard, site.premium):
            plan.trial_days = 14
            plan.save()
        site.checkout(site.standard)
        site.settle()
        assert site.row.status == "trialing"
        site.user.is_staff = True
        plan_changes.cancel(site.user, immediate=True)
        site.settle()

        site.checkout(site.premium)
        site.settle()

        assert (site.row.plan, site.row.status) == (site.premium, "active")

    def test_what_the_page_offers_is_stripes_to_decide(self, site: Site) -> None:
        session = site.sandbox.api.checkout.sessions.retrieve(open_page(site, site.standard).id)
        assert "us_bank_account" in session.payment_method_types, "not cards alone"
        assert (session.locale, session.allow_promotion_codes) == ("auto", None)
        assert not session.automatic_tax.enabled

    def test_unless_the_settings_decide(self, site: Site, settings: Any) -> None:
        settings.VIDEOQ_BILLING = {
            **settings.VIDEOQ_BILLING,
            "CHECKOUT_PAYMENT_METHOD_TYPES": ["card"],
            "CHECKOUT_PROMOTION_CODES": True,
            "CHECKOUT_AUTOMATIC_TAX": True,
            "CHECKOUT_LOCALE": "ja",
        }
        session = site.sandbox.api.checkout.sessions.retrieve(open_page(site, site.standard).id)
        assert session.payment_method_types == ["card"]
        assert (session.locale, session.allow_promotion_codes) == ("ja", True)
        assert session.automatic_tax.enabled

    def test_a_plan_that_is_not_for_sale(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        for plan in (make_plan(), make_plan(slug="pro", price_cents=900)):
            with pytest.raises(InvalidPlan):
                open_page(site, plan)
        [record] = [one for one in caplog.records if one.getMessage() == "plan_has_no_price"]
        assert record.__dict__["plan"] == "pro", "the site is told that sync_stripe_plans has not run"
        assert UserSubscription.objects.filter(stripe_customer_id__isnull=False).count() == 0

    def test_the_session_carries_who_and_what(self, site: Site) -> None:
        session = site.sandbox.api.checkout.sessions.retrieve(open_page(site, site.standard).id)
        assert session.client_reference_id == str(site.user.pk)
        assert session.metadata is not None
        assert session.metadata.to_dict() == {
            "user_id": str(site.user.pk),
            "plan_id": str(site.standard.pk),
            "price_id": site.standard.stripe_price_id,
        }

    def test_so_does_the_subscription(self, site: Site) -> None:
        first_subscription(site)
        made = site.sandbox.api.subscriptions.retrieve(str(site.row.stripe_subscription_id))
        assert made.metadata.to_dict() == {"user_id": str(site.user.pk), "plan_id": str(site.standard.pk)}

    def test_stripe_away_is_an_error_of_its_own(self, site: Site) -> None:
        site.sandbox.control("outage", mode="503", requests=99)
        with pytest.raises(StripeUnavailable):
            open_page(site, site.standard)


class TestTheSeedsService:
    def test_its_names_work_as_the_seed_calls_them(self, site: Site) -> None:
        customer = StripeService.create_customer(site.user)
        assert StripeService.create_customer(site.user).id == customer.id

        session = StripeService.create_checkout_session(
            site.user, site.standard, "https://testserver/ok", "https://testserver/no"
        )

        assert session.url.startswith("http")
        kept = site.sandbox.api.checkout.sessions.retrieve(session.id)
        assert kept.customer == customer.id


class TestSync:
    def test_the_success_page_does_not_wait_for_the_webhook(self, site: Site) -> None:
        session = open_page(site, site.standard)
        site.sandbox.control(f"checkout/{session.id}/pay", card="4242424242424242")
        assert plan_changes.sync(site.user, session.id).plan == site.standard

    def test_somebody_elses_session_is_unknown(self, site: Site) -> None:
        other = make_user()
        session = open_page(site, site.standard, other)
        with pytest.raises(NoSubscription):
            plan_changes.sync(site.user, session.id)

    def test_a_strangers_customer_changes_nothing(self, site: Site) -> None:
        stranger = site.sandbox.customer()
        site.sandbox.subscribe(stranger.id, str(site.standard.stripe_price_id))
        site.settle()
        assert site.row.plan == site.free
        assert site.snapshot()["ledger"] == []
