"""The days of grace count from the first attempt that failed, in whatever manner that came to be known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.payments import payment_page
from django_videoq_billing.services.stripe_sync import sync_customer
from django_videoq_billing.services.support import extend_grace
from django_videoq_billing.webhooks import inbox
from tests.stripe.lifecycles import (
    BANK_ACCOUNT,
    EMPTY_ACCOUNT,
    fail_next_renewal,
    first_subscription,
    three_d_secure_each_time,
)
from tests.stripe.site import Deliver, Later, Site, Thrice, in_order, process, shuffled

pytestmark = pytest.mark.django_db

GRACE = timedelta(days=3)


def moment_of(event_type: str) -> datetime:
    """When the first event of this type happened at Stripe."""
    return WebhookEvent.objects.filter(type=event_type).earliest("created_at").created_at


def resync(site: Site) -> None:
    sync_customer(str(site.row.stripe_customer_id))


def test_a_debit_that_fails_after_days_leaves_all_of_them(site: Site) -> None:
    site.checkout(site.standard, EMPTY_ACCOUNT)
    site.settle()
    began = timezone.now()
    site.advance(days=4)
    site.settle()
    failed_at = moment_of("invoice.payment_failed")
    assert failed_at - began > GRACE, "counted from the period they would be over"
    assert (site.row.status, site.row.grace_period_end) == ("past_due", failed_at + GRACE)
    assert entitlement_for(site.user).plan_slug == "standard"

    site.traveller.move_to(failed_at + GRACE)
    assert entitlement_for(site.user).plan_slug == "free"


MANNERS: dict[str, Callable[[], Deliver]] = {
    "in order": Deliver,
    "each three times": Thrice,
    "all late": lambda: Later(in_order),
    "backwards": lambda: Later(lambda events: events[::-1]),
    **{f"shuffled {seed}": lambda seed=seed: Later(shuffled(seed)) for seed in range(5)},  # type: ignore[misc]
}


@pytest.mark.parametrize("manner", MANNERS)
def test_a_renewal_by_debit_that_fails_days_later(make_site: Callable[[Deliver], Site], manner: str) -> None:
    site = make_site(MANNERS[manner]())
    site.checkout(site.standard, BANK_ACCOUNT)
    site.settle()
    site.advance(days=20)
    site.settle()
    customer = site.row.stripe_customer_id
    site.sandbox.control(f"customers/{customer}/fail_next", payments=1, reason="insufficient_funds")
    site.advance(days=15, hours=2)
    site.finish()
    failed_at = moment_of("invoice.payment_failed")
    period_start = site.row.current_period_start
    assert failed_at - period_start > GRACE
    assert site.row.grace_period_end == failed_at + GRACE

    for _ in range(2):
        inbox.replay(WebhookEvent.objects.all())
        process()
    assert site.row.grace_period_end == failed_at + GRACE


def test_where_an_overdue_payment_is_made(site: Site) -> None:
    assert payment_page(site.row) == "", "nobody was ever charged"
    first_subscription(site)
    assert payment_page(site.row) == ""

    site.sandbox.control("switches", after_retries="past_due")
    fail_next_renewal(site, payments=99)
    site.advance(days=31)
    site.settle()
    newest, older = site.sandbox.api.invoices.list({"status": "open"}).data
    assert newest.created > older.created
    assert payment_page(site.row) == newest.hosted_invoice_url


def test_a_strangers_failed_charge_begins_nobody_elses(site: Site) -> None:
    """Nor does an earlier one of another invoice: Stripe is asked about this payment alone."""
    stranger = site.sandbox.customer()
    site.sandbox.subscribe(stranger.id, site.sandbox.price(500).id)
    site.sandbox.control(f"customers/{stranger.id}/fail_next", payments=9)
    site.advance(days=2)
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    failed = site.sandbox.api.charges.list({"customer": str(site.row.stripe_customer_id)}).data[0]
    assert failed.status == "failed"
    assert site.row.grace_period_end == datetime.fromtimestamp(failed.created, UTC) + GRACE


def test_further_attempts_give_no_further_days(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    failed_at = moment_of("invoice.payment_failed")
    assert site.row.grace_period_end == failed_at + GRACE
    for _ in range(2):
        site.advance(days=4)
        site.settle()
    assert WebhookEvent.objects.filter(type="invoice.payment_failed").count() > 1
    assert (site.row.status, site.row.grace_period_end) == ("past_due", failed_at + GRACE)


def test_nor_does_the_next_period(site: Site) -> None:
    """The account leaves the subscription past due when all attempts are made, and the next renewal fails, too."""
    site.sandbox.control("switches", after_retries="past_due")
    first_subscription(site)
    fail_next_renewal(site, payments=99)
    ends = site.row.grace_period_end
    site.advance(days=31)
    site.settle()
    assert len(site.sandbox.api.invoices.list({"status": "open"}).data) == 2
    assert (site.row.status, site.row.grace_period_end) == ("past_due", ends)


def test_without_the_event_the_attempt_itself_counts(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    told = site.row.grace_period_end
    WebhookEvent.objects.all().delete()
    resync(site)
    assert site.row.grace_period_end == told


def test_where_the_cardholder_was_missing_the_invoice_counts(site: Site) -> None:
    three_d_secure_each_time(site)
    [invoice] = site.sandbox.api.invoices.list({"status": "open"}).data
    assert site.row.grace_period_end is not None
    assert int((site.row.grace_period_end - GRACE).timestamp()) == invoice.created


def test_what_is_paid_has_no_days_of_grace(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    assert site.snapshot()["ending"][3] is not None
    site.advance(days=4)
    site.settle()
    assert (site.row.status, site.snapshot()["ending"][3]) == ("active", None)


def test_what_support_has_added_survives_every_sync_and_ends_with_the_payment(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    until = timezone.now() + timedelta(days=10)
    extend_grace(site.user, until)
    for _ in range(2):
        resync(site)
        assert (site.row.status, site.row.grace_period_end) == ("past_due", until)
    site.advance(days=4)
    site.settle()
    assert (site.row.status, site.row.grace_period_end, site.row.grace_extended_until) == (
        "active",
        None,
        None,
    )


def test_a_later_failure_has_the_usual_days_again(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    extend_grace(site.user, timezone.now() + timedelta(days=60))
    site.advance(days=4)
    site.settle()
    assert site.row.status == "active"
    fail_next_renewal(site, payments=9)
    assert site.row.grace_period_end is not None
    assert site.row.grace_period_end - timezone.now() <= GRACE
