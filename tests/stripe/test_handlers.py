"""What each kind of event leads to, beyond the lifecycles; and that no kind of the list is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.stripe_plans import push_plans
from django_videoq_billing.webhooks.registry import handlers_for
from tests.stripe.lifecycles import first_subscription
from tests.stripe.site import Site, process, receive

pytestmark = pytest.mark.django_db

HANDLED = [
    *[f"checkout.session.{what}" for what in ("completed", "expired")],
    *[f"checkout.session.async_payment_{what}" for what in ("succeeded", "failed")],
    *[f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "paused", "resumed")],
    *[f"customer.subscription.pending_update_{what}" for what in ("applied", "expired")],
    "customer.subscription.trial_will_end",
    *[f"invoice.{what}" for what in ("paid", "finalized", "voided", "marked_uncollectible")],
    *[f"invoice.payment_{what}" for what in ("succeeded", "failed", "action_required")],
    "charge.refunded",
    *[f"refund.{what}" for what in ("created", "updated", "failed")],
    *[f"charge.dispute.{what}" for what in ("created", "updated", "closed", "funds_withdrawn")],
    *[f"customer.{what}" for what in ("updated", "deleted")],
    *[f"payment_method.{what}" for what in ("attached", "detached", "updated", "automatically_updated")],
    *[f"{kind}.{what}" for kind in ("product", "price") for what in ("created", "updated", "deleted")],
]


@pytest.mark.parametrize("event_type", HANDLED)
def test_somebody_answers(event_type: str) -> None:
    assert handlers_for(event_type)


def only(site: Site, event_type: str) -> None:
    """Deliver nothing but the events of this type: all others are lost."""
    wanted = [event for event in site.sandbox.new_events() if event["type"] == event_type]
    assert wanted
    for event in wanted:
        receive(event)
    process()
    assert set(WebhookEvent.objects.values_list("state", "error")) == {("processed", "")}


@pytest.mark.parametrize("event_type", ["payment_method.attached", "invoice.finalized", "invoice.paid"])
def test_whatever_is_heard_of_a_customer_brings_the_row_in_line(site: Site, event_type: str) -> None:
    site.checkout(site.standard)
    only(site, event_type)
    assert (site.row.plan, site.row.status) == (site.standard, "active")


def test_also_a_new_address_for_invoices(site: Site) -> None:
    site.checkout(site.standard)
    site.sandbox.api.customers.update(str(site.row.stripe_customer_id), params={"email": "new@example.com"})
    only(site, "customer.updated")
    assert site.row.plan == site.standard


def test_a_deleted_customer_alone(site: Site) -> None:
    first_subscription(site)
    WebhookEvent.objects.all().delete()
    site.sandbox.api.customers.delete(str(site.row.stripe_customer_id))
    only(site, "customer.deleted")
    assert (site.row.status, entitlement_for(site.user).plan_slug) == ("cancelled", "free")


def test_a_card_of_a_stranger_and_a_detached_one_change_nothing(site: Site) -> None:
    method = site.sandbox.api.payment_methods.attach(
        "pm_card_visa", params={"customer": site.sandbox.customer().id}
    )
    site.sandbox.api.payment_methods.detach(method.id)
    site.settle()
    assert set(WebhookEvent.objects.values_list("error", flat=True)) == {""}
    assert site.row.plan == site.free


def told_of_session(site: Site, event_type: str) -> None:
    """An event about a checkout page of the user's customer, and no other event."""
    body = {"id": "cs_test_1", "object": "checkout.session", "customer": site.row.stripe_customer_id}
    now = site.sandbox.now()
    receive(
        {
            "id": f"evt_{event_type}",
            "type": event_type,
            "created": now,
            "livemode": False,
            "data": {"object": body},
        }
    )
    process()


class TestAPaymentThatTakesDays:
    """A bank debit: the page is done with, and the money comes or does not."""

    @pytest.fixture
    def invoice(self, site: Site) -> str:
        customer = site.sandbox.customer().id
        type(site.row).objects.filter(user=site.user).update(stripe_customer_id=customer)
        made = site.sandbox.subscribe(
            customer, str(site.standard.stripe_price_id), payment_behavior="default_incomplete"
        )
        told_of_session(site, "checkout.session.completed")
        assert (site.row.plan, site.row.status) == (site.free, "incomplete"), "nothing is paid yet"
        return str(made.latest_invoice)

    def test_it_comes(self, site: Site, invoice: str) -> None:
        site.sandbox.api.invoices.pay(invoice)
        told_of_session(site, "checkout.session.async_payment_succeeded")
        assert (site.row.plan, site.row.status) == (site.standard, "active")

    def test_it_does_not(self, site: Site, invoice: str) -> None:
        told_of_session(site, "checkout.session.async_payment_failed")
        assert site.row.plan == site.free
        assert entitlement_for(site.user).plan_slug == "free"

    def test_the_news_come_in_the_wrong_order(self, site: Site, invoice: str) -> None:
        site.sandbox.api.invoices.pay(invoice)
        told_of_session(site, "checkout.session.async_payment_succeeded")
        told_of_session(site, "checkout.session.async_payment_failed")  # of an attempt before
        assert (site.row.plan, site.row.status) == (site.standard, "active")


class TestTheCatalog:
    @pytest.mark.parametrize("kind", ["price", "product"])
    def test_a_plan_that_nobody_can_buy_any_more_is_reported(
        self, site: Site, caplog: pytest.LogCaptureFixture, kind: str
    ) -> None:
        plan = site.standard
        if kind == "price":
            site.sandbox.api.prices.update(str(plan.stripe_price_id), params={"active": False})
        else:
            site.sandbox.api.products.update(str(plan.stripe_product_id), params={"active": False})
        only(site, f"{kind}.updated")
        [record] = [one for one in caplog.records if one.getMessage() == "plan_not_for_sale_at_stripe"]
        assert (record.levelname, vars(record)["plans"]) == ("ERROR", ["standard"])

    @pytest.mark.parametrize("what", ["another name", "a stranger's price", "our own new price"])
    def test_otherwise_there_is_nothing_to_say(
        self, site: Site, caplog: pytest.LogCaptureFixture, what: str
    ) -> None:
        if what == "another name":
            site.sandbox.api.products.update(str(site.standard.stripe_product_id), params={"name": "Std"})
        elif what == "a stranger's price":
            site.sandbox.api.prices.update(site.sandbox.price(77).id, params={"active": False})
        else:
            list(push_plans())
            type(site.standard).objects.filter(pk=site.standard.pk).update(price_cents=1500)
            list(push_plans())
        site.settle()
        assert "plan_not_for_sale_at_stripe" not in caplog.messages

    def test_while_stripe_is_away_it_is_tried_again(self, site: Site, traveller: Any) -> None:
        site.sandbox.api.prices.update(str(site.standard.stripe_price_id), params={"active": False})
        site.sandbox.control("outage", mode="503", requests=1)
        site.settle()
        assert WebhookEvent.objects.get().state == "failed"
