"""Each lifecycle ends in the rows it should, in whatever manner its events were delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from django_videoq_billing.services.entitlements import entitlement_for
from tests.stripe.lifecycles import LIFECYCLES
from tests.stripe.site import Deliver, FirstDropped, FirstHalfLost, Later, Site, Thrice, in_order, shuffled

pytestmark = pytest.mark.django_db

Life = Callable[[Site], None]

ENDS: dict[str, tuple[str, str, str, list[tuple[str, str, int]]]] = {
    # plan, status, effective plan, and the ledger
    "first_subscription": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
    "declined_then_paid": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
    "three_d_secure": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
    "debit_that_succeeds": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
    "debit_that_fails": (  # a day ago: the days of grace have just begun
        "standard",
        "past_due",
        "standard",
        [("subscription_payment", "failed", 1200)],
    ),
    "three_d_secure_each_time": (  # no charge was tried without the cardholder, so none failed
        "standard",
        "past_due",
        "standard",
        [("subscription_payment", "succeeded", 1200)],
    ),
    "renewal": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)] * 2),
    "failed_renewal_recovers": (
        "standard",
        "active",
        "standard",
        [("subscription_payment", "failed", 1200), *[("subscription_payment", "succeeded", 1200)] * 2],
    ),
    "failed_renewal_outlasts_the_grace": (
        "standard",
        "past_due",
        "free",
        [("subscription_payment", "failed", 1200), ("subscription_payment", "succeeded", 1200)],
    ),
    "failed_renewal_ends": (
        "standard",
        "cancelled",
        "free",
        [("subscription_payment", "failed", 1200), ("subscription_payment", "succeeded", 1200)],
    ),
    "upgrade": (
        "premium",
        "active",
        "premium",
        [("proration", "succeeded", 2506), ("subscription_payment", "succeeded", 1200)],
    ),
    "upgrade_with_three_d_secure": (  # for twenty days of the period's thirty-one
        "premium",
        "active",
        "premium",
        [("proration", "succeeded", 2387), ("subscription_payment", "succeeded", 1200)],
    ),
    "downgrade_at_period_end": (
        "standard",
        "active",
        "standard",
        [("subscription_payment", "succeeded", 1200), ("subscription_payment", "succeeded", 4900)],
    ),
    "downgrade_and_change_of_mind": (
        "premium",
        "active",
        "premium",
        [("subscription_payment", "succeeded", 4900)] * 2,
    ),
    "cancel_at_period_end": (
        "standard",
        "cancelled",
        "free",
        [("subscription_payment", "succeeded", 1200)],
    ),
    "cancel_and_reactivate": (
        "standard",
        "active",
        "standard",
        [("subscription_payment", "succeeded", 1200)] * 2,
    ),
    "cancel_and_come_back": (
        "premium",
        "active",
        "premium",
        [("subscription_payment", "succeeded", 1200), ("subscription_payment", "succeeded", 4900)],
    ),
    "refund": (
        "standard",
        "active",
        "standard",
        [
            ("subscription_payment", "succeeded", 1200),
            ("subscription_refund", "refunded", -700),
            ("subscription_refund", "refunded", -500),
        ],
    ),
    "refund_that_fails": (
        "standard",
        "active",
        "standard",
        [
            ("subscription_payment", "succeeded", 1200),
            ("subscription_refund", "failed", 1200),
            ("subscription_refund", "refunded", -1200),
        ],
    ),
    "inquiry": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
    "dispute": (
        "standard",
        "active",
        "standard",
        [
            ("dispute", "disputed", -1200),
            ("dispute", "succeeded", 1200),
            ("subscription_payment", "succeeded", 1200),
        ],
    ),
    "dispute_lost": (
        "standard",
        "active",
        "standard",
        [("dispute", "disputed", -1200), ("subscription_payment", "succeeded", 1200)],
    ),
    "trial": ("standard", "active", "standard", [("subscription_payment", "succeeded", 1200)]),
}

AS_THINGS_HAPPEN: dict[str, Callable[[], Deliver]] = {
    "in order": Deliver,
    "each three times": Thrice,
    "first deliveries dropped": FirstDropped,
}
AT_THE_END: dict[str, Callable[[], Deliver]] = {
    "all late": lambda: Later(in_order),
    "backwards": lambda: Later(lambda events: events[::-1]),
    "the first half lost": FirstHalfLost,
    **{f"shuffled and doubled, seed {seed}": partial(Later, shuffled(seed)) for seed in range(5)},
}


@pytest.mark.parametrize("life", LIFECYCLES, ids=lambda life: life.__name__)
def test_a_life_ends_as_it_should(site: Site, life: Life) -> None:
    life(site)
    site.finish()

    plan, status, effective, ledger = ENDS[life.__name__]
    ended = site.snapshot()
    assert (ended["plan"], ended["status"]) == (plan, status)
    assert entitlement_for(site.user).plan_slug == effective
    assert [line[:3] for line in ended["ledger"]] == ledger


@pytest.mark.no_cover
@pytest.mark.parametrize("life", LIFECYCLES, ids=lambda life: life.__name__)
def test_the_manner_of_delivery_does_not_matter(
    make_site: Callable[[Deliver], Site], sandbox: Any, life: Life
) -> None:
    ended: dict[str, dict[str, Any]] = {}
    for manner, deliver in AS_THINGS_HAPPEN.items():
        with fresh_rows():
            site = played(life, make_site, sandbox, deliver())
            ended[manner] = site.snapshot()

    with fresh_rows():  # what is delivered at the end alone does not change the life itself: once is enough
        site = played(life, make_site, sandbox, nothing := Later(lambda events: []))
        for manner, deliver in AT_THE_END.items():
            with fresh_rows():
                late = deliver()
                late.take(nothing.held)
                late.finish()
                ended[manner] = site.snapshot()

    for manner in ended:
        assert ended[manner] == ended["in order"], manner


def played(life: Life, make_site: Callable[[Deliver], Site], sandbox: Any, deliver: Deliver) -> Site:
    """A site after this life, with a sandbox of its own."""
    sandbox.reset()
    site = make_site(deliver)
    site.follow()
    life(site)
    site.finish()
    return site


@contextmanager
def fresh_rows() -> Iterator[None]:
    """Whatever is written inside is gone afterwards, so that the next manner starts from nothing."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
