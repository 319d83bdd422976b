"""Two subscriptions of one customer: one stays, the other ends at Stripe and its money comes back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from django_videoq_billing.exceptions import SubscriptionExists
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, WebhookEvent
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.services.stripe_surplus import MARK
from django_videoq_billing.services.stripe_sync import sync_customer
from tests.stripe.lifecycles import fail_next_renewal, first_subscription
from tests.stripe.site import Deliver, FirstHalfLost, Later, Site, Thrice, process, receive, shuffled

pytestmark = pytest.mark.django_db

CARD = "4242424242424242"
PAID, BACK = "subscription_payment", "subscription_refund"


def two_pages(site: Site, *plans: SubscriptionPlan) -> list[str]:
    """Open one page for each plan, as a fault or a race might leave them, and pay on all."""
    customer = StripeService.create_customer(site.user).id
    type(site.row).objects.filter(user=site.user).update(stripe_customer_id=customer)
    pages = [
        StripeService.create_checkout_session(
            site.user,
            plan,
            "https://testserver/ok",
            "https://testserver/no",
            customer_id=customer,
            after=str(n),
        )
        for n, plan in enumerate(plans)
    ]
    for page in pages:
        site.sandbox.control(f"checkout/{page.id}/pay", card=CARD)
        site.advance(hours=0.01)
    return [str(StripeService.retrieve_checkout_session(page.id).subscription_id) for page in pages]


def made_by_hand(site: Site, plan: SubscriptionPlan) -> str:
    """A subscription that somebody made in the dashboard, with the card that the customer has."""
    customer = str(site.row.stripe_customer_id)
    card = site.sandbox.api.payment_methods.list(params={"customer": customer}).data[0].id
    made = site.sandbox.subscribe(customer, str(plan.stripe_price_id), default_payment_method=card)
    return made.id


def statuses(site: Site, *subscriptions: str) -> list[str]:
    return [site.sandbox.status(subscription) for subscription in subscriptions]


def ledger() -> list[tuple[str, int]]:
    """What was paid and given back."""
    lines = PaymentTransaction.objects.exclude(status="failed")
    return sorted(lines.values_list("type", "amount_cents"))


MANNERS: dict[str, Callable[[], Deliver]] = {
    "in order": Deliver,
    "each three times": Thrice,
    "the first half lost": FirstHalfLost,
    **{f"shuffled {seed}": lambda seed=seed: Later(shuffled(seed)) for seed in range(6)},  # type: ignore[misc]
}


@pytest.mark.parametrize("manner", MANNERS)
def test_the_first_stays_and_the_second_is_given_back(
    make_site: Callable[[Deliver], Site], manner: str
) -> None:
    site = make_site(MANNERS[manner]())
    first, second = two_pages(site, site.standard, site.premium)
    site.settle()
    site.finish()
    site.settle()  # what ending the second has led to
    site.finish()

    assert statuses(site, first, second) == ["active", "canceled"]
    assert (site.row.plan, site.row.status, site.row.stripe_subscription_id) == (
        site.standard,
        "active",
        first,
    )
    assert ledger() == [(PAID, 1200), (PAID, 4900), (BACK, -4900)]
    assert [refund.amount for refund in site.sandbox.api.refunds.list()] == [4900]


def test_a_charge_that_is_disputed_is_the_banks_to_give_back(site: Site) -> None:
    """Stripe would refuse a refund, for as long as the event is tried."""
    first, second = two_pages(site, site.standard, site.premium)
    [charge] = [one for one in site.sandbox.api.charges.list() if one.amount == 4900]
    site.sandbox.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "duplicate"})
    site.settle()
    assert statuses(site, first, second) == ["active", "canceled"]
    assert site.sandbox.api.refunds.list().data == []
    assert not WebhookEvent.objects.filter(state="failed").exists()


def test_of_three_the_first_stays(site: Site) -> None:
    subscriptions = two_pages(site, site.premium, site.standard, site.premium)
    site.settle()
    assert statuses(site, *subscriptions) == ["active", "canceled", "canceled"]
    assert site.row.plan == site.premium


def test_it_is_said_loudly_and_without_an_id(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    two_pages(site, site.standard, site.premium)
    site.settle()
    said = {record.getMessage(): record for record in caplog.records if record.levelno >= logging.ERROR}
    assert {"duplicate_subscription", "surplus_subscription_ended"} <= said.keys()
    ended = vars(said["surplus_subscription_ended"])
    assert (ended["user_id"], ended["refunded"], ended["currency"]) == (str(site.user.pk), 4900, "USD")
    assert not [value for value in ended.values() if str(value).startswith(("sub_", "cus_", "ch_"))]


def test_the_users_own_page_ends_it_too(site: Site) -> None:
    first, second = two_pages(site, site.standard, site.premium)
    assert plan_changes.sync(site.user).plan == site.standard
    assert statuses(site, first, second) == ["active", "canceled"]


def test_a_refund_that_fails_is_no_trouble_for_the_user_and_is_tried_again(
    site: Site, traveller: Any
) -> None:
    two_pages(site, site.standard, site.premium)
    site.sandbox.control("outage", mode="503", requests=1000, path="/v1/refunds")
    assert plan_changes.sync(site.user).plan == site.standard
    with pytest.raises(SubscriptionExists):
        start_checkout(site.user, site.premium, "https://testserver/ok", "https://testserver/no")
    site.settle()
    assert WebhookEvent.objects.filter(state="failed").exists()

    site.sandbox.control("outage", mode="503", requests=0)
    traveller.shift(timedelta(minutes=61))
    process()
    site.settle()
    assert not WebhookEvent.objects.filter(state="failed").exists()
    assert ledger() == [(PAID, 1200), (PAID, 4900), (BACK, -4900)]


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/invoices", "/v1/charges", "/v1/refunds"])
@pytest.mark.parametrize("mode", ["503", "lost"])
def test_stopped_anywhere_it_is_finished_later(site: Site, traveller: Any, path: str, mode: str) -> None:
    first, second = two_pages(site, site.standard, site.premium)
    for _ in range(4):  # each of the first answers on this path is lost once
        site.sandbox.control("outage", mode=mode, requests=1, path=path, seconds=0)
        site.settle()
        traveller.shift(timedelta(minutes=61))
        process()
    site.sandbox.control("outage", mode=mode, requests=0)
    traveller.shift(timedelta(minutes=61))
    site.settle()
    process()
    assert statuses(site, first, second) == ["active", "canceled"]
    assert ledger() == [(PAID, 1200), (PAID, 4900), (BACK, -4900)]


def test_a_payment_that_comes_after_the_end_is_given_back_too(site: Site) -> None:
    """A bank debit that was on its way when its subscription was ended."""
    first, second = two_pages(site, site.standard, site.premium)
    site.sandbox.api.subscriptions.update(second, params={"metadata": {MARK: "true"}})
    site.sandbox.api.subscriptions.cancel(second)
    site.settle()
    site.settle()
    assert statuses(site, first, second) == ["active", "canceled"]
    assert (BACK, -4900) in ledger()


def test_what_the_user_has_stays_before_something_new(site: Site) -> None:
    first_subscription(site)
    mine = str(site.row.stripe_subscription_id)
    site.advance(days=10)
    newer = made_by_hand(site, site.premium)
    site.settle()
    assert statuses(site, mine, newer) == ["active", "canceled"]
    assert site.row.plan == site.standard


def test_one_that_is_paid_goes_before_one_that_is_not(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    late = str(site.row.stripe_subscription_id)
    newer = made_by_hand(site, site.premium)
    site.settle()
    assert statuses(site, late, newer) == ["canceled", "active"]
    assert (site.row.plan, site.row.status) == (site.premium, "active")
    assert site.sandbox.api.refunds.list().data == [], "the month that was used is not given back"


def test_one_that_was_never_paid_is_ended_without_a_refund(site: Site) -> None:
    first_subscription(site)
    mine, customer = str(site.row.stripe_subscription_id), str(site.row.stripe_customer_id)
    never_paid = site.sandbox.subscribe(
        customer, str(site.premium.stripe_price_id), payment_behavior="default_incomplete"
    ).id
    site.settle()
    assert statuses(site, mine, never_paid)[0] == "active"
    assert statuses(site, never_paid)[0] in ("canceled", "incomplete_expired")
    assert ledger() == [(PAID, 1200)]


@pytest.mark.parametrize("older", ["ours", "the other thing"])
def test_something_else_that_the_customer_bought_is_left_alone(site: Site, older: str) -> None:
    """The same Stripe account may sell more than our plans."""
    customer = site.sandbox.customer().id
    type(site.row).objects.filter(user=site.user).update(stripe_customer_id=customer)
    prices = [str(site.standard.stripe_price_id), site.sandbox.price(777).id]
    bought = {}
    for price in prices if older == "ours" else reversed(prices):
        bought[price] = site.sandbox.subscribe(customer, price).id
        site.settle()
        site.advance(hours=1)
    sync_customer(customer)
    assert statuses(site, *bought.values()) == ["active", "active"]
    assert (site.row.plan, site.row.stripe_subscription_id) == (site.standard, bought[prices[0]])
    assert site.sandbox.api.refunds.list().data == []


def test_a_page_that_was_paid_while_it_was_being_closed_counts(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another plan is chosen at the moment in which the first page is paid: no second page opens."""
    page = start_checkout(site.user, site.standard, "https://testserver/ok", "https://testserver/no")
    retrieve = StripeService.retrieve_checkout_session

    def paid_just_after(session_id: str) -> Any:
        seen = retrieve(session_id)
        monkeypatch.undo()
        site.sandbox.control(f"checkout/{page.id}/pay", card=CARD)
        return seen

    monkeypatch.setattr(StripeService, "retrieve_checkout_session", staticmethod(paid_just_after))
    with pytest.raises(SubscriptionExists):
        start_checkout(site.user, site.premium, "https://testserver/ok", "https://testserver/no")
    assert len(site.sandbox.api.subscriptions.list().data) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once(make_site: Any, traveller: Any) -> None:
    site = make_site(Deliver())
    first, second = two_pages(site, site.standard, site.premium)
    for event in site.sandbox.new_events() * 2:
        receive(event)
    barrier = Barrier(4)

    def work(_: int) -> None:
        try:
            barrier.wait(timeout=30)
            process()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    traveller.shift(timedelta(minutes=61))
    site.settle()
    process()

    assert statuses(site, first, second) == ["active", "canceled"]
    assert set(WebhookEvent.objects.values_list("error", flat=True)) == {""}
    assert (site.row.plan, site.row.status) == (site.standard, "active")
    assert ledger() == [(PAID, 1200), (PAID, 4900), (BACK, -4900)]
