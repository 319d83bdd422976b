"""A life nobody thought of: random moves, and its events in a random order, repeated at random."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.services import plan_changes
from tests.stripe.lifecycles import NEEDS_3DS_EACH_TIME, confirm
from tests.stripe.site import Deliver, Events, Later, Site
from tests.stripe.test_lifecycles import fresh_rows

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


def fail_next(site: Site) -> None:
    if customer := site.row.stripe_customer_id:
        site.sandbox.control(f"customers/{customer}/fail_next", payments=2, reason="insufficient_funds")


def refund_all(site: Site) -> None:
    for charge in site.sandbox.api.charges.list().data:
        if charge.status == "succeeded" and not charge.refunded:
            site.sandbox.api.refunds.create(params={"charge": charge.id})


def confirm_all(site: Site) -> None:
    for invoice in site.sandbox.api.invoices.list({"status": "open"}).data:
        with suppress(KeyError):  # refused at once: the bank asks nothing
            confirm(site, str(invoice.hosted_invoice_url))


MOVES: dict[str, Callable[[Site], object]] = {
    "buy standard": lambda site: site.checkout(site.standard),
    "buy premium": lambda site: site.checkout(site.premium),
    "buy standard with 3-D Secure": lambda site: site.checkout(site.standard, NEEDS_3DS_EACH_TIME),
    "confirm what is open": confirm_all,
    "to standard": lambda site: plan_changes.change(site.user, site.standard),
    "to premium": lambda site: plan_changes.change(site.user, site.premium),
    "to free": lambda site: plan_changes.change(site.user, site.free),
    "reactivate": lambda site: plan_changes.reactivate(site.user),
    "ten days": lambda site: site.advance(days=10),
    "a month": lambda site: site.advance(days=31, hours=2),
    "next payments fail": fail_next,
    "refund": refund_all,
}


def live(site: Site, moves: list[str]) -> dict[str, Any]:
    for move in moves:
        with suppress(BillingError):
            MOVES[move](site)
        site.settle()
    site.finish()
    return site.snapshot()


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    moves=st.tuples(
        st.sampled_from(["buy standard", "buy standard with 3-D Secure"]),
        st.lists(st.sampled_from(list(MOVES)), min_size=2, max_size=7),
    ).map(lambda life: [life[0], *life[1]]),
    dice=st.randoms(use_true_random=False),
)
def test_a_random_life_in_a_random_order(
    make_site: Callable[[Deliver], Site], sandbox: Any, moves: list[str], dice: Any
) -> None:
    def mixed(events: Events) -> Events:
        doubled = [*events, *(event for event in events if dice.random() < 0.5)]
        dice.shuffle(doubled)
        return doubled

    ended = []
    for deliver in (Deliver(), Later(mixed)):
        with fresh_rows():
            sandbox.reset()
            site = make_site(deliver)
            site.follow()
            ended.append(live(site, moves))

    assert ended[0] == ended[1]
