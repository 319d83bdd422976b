"""A payment that failed: the mail asks Stripe at the moment it is sent. Stripe is the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from django_videoq_billing.models import Notification
from django_videoq_billing.services.notifications import send_due
from django_videoq_billing.services.notifications.payment_messages import _wants_confirmation
from tests.notifications.variants import SITE
from tests.stripe.lifecycles import confirm, fail_next_renewal, first_subscription, three_d_secure_each_time
from tests.stripe.site import Site

State, Kind = Notification.State, Notification.Kind


@pytest.fixture(autouse=True)
def _site(site: Site, settings: Any) -> None:
    keys = ("SITE_URL", "SITE_NAME", "BILLING_URL")
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, **{key: SITE[key] for key in keys}}


def put(site: Site, kind: Notification.Kind = Kind.PAYMENT_FAILED, **facts: Any) -> Notification:
    """The row beside those that the failure itself has put there, which are taken away."""
    Notification.objects.all().delete()
    return add(site, kind, **facts)


def add(site: Site, kind: Notification.Kind = Kind.PAYMENT_FAILED, **facts: Any) -> Notification:
    end = site.row.grace_period_end
    assert end is not None
    return Notification.objects.create(
        user=site.user,
        kind=kind,
        key=f"test:{facts.get('step')}",
        facts={"step": 0, "grace_end": end.isoformat(), **facts},
        next_attempt_at=now(),
        created_at=now(),
    )


def now() -> Any:
    from django.utils import timezone

    return timezone.now()


def failed(site: Site) -> None:
    first_subscription(site)
    fail_next_renewal(site, payments=9)
    mail.outbox.clear()


def why(row: Notification) -> str:
    row.refresh_from_db()
    assert (row.state, mail.outbox) == (State.SKIPPED, [])
    return row.error


def test_the_first_mail_leads_to_the_invoice(site: Site) -> None:
    failed(site)
    put(site)
    send_due()
    [message] = mail.outbox
    assert message.subject == "Your payment of $12.00 did not go through"
    link = next(line for line in message.body.splitlines() if line.startswith("Pay now: "))
    page = site.sandbox.http.get(link.removeprefix("Pay now: "))
    assert page.status_code == 200
    assert "12.00" in page.text
    assert "Update your card: https://videos.example.com/billing/" in message.body
    assert "Until " in message.body


@pytest.mark.parametrize(("step", "begins"), [(1, "Reminder: your"), (2, "Last reminder: your")])
def test_reminders_escalate(site: Site, step: int, begins: str) -> None:
    failed(site)
    put(site, step=step)
    send_due()
    assert mail.outbox[0].subject.startswith(begins)


def test_two_that_are_late_are_one(site: Site, traveller: Any) -> None:
    failed(site)
    first = put(site)
    traveller.shift(timedelta(hours=1))
    add(site, step=1)
    send_due()
    assert [message.subject for message in mail.outbox] == ["Reminder: your payment of $12.00 is still open"]
    first.refresh_from_db()
    assert (first.state, first.error) == (State.SKIPPED, "A later reminder says the same.")


def test_paid_meanwhile_and_known_here(site: Site) -> None:
    failed(site)
    row = put(site)
    site.row.__class__.objects.filter(pk=site.row.pk).update(status="active", grace_period_end=None)
    send_due()
    assert "It was paid" in why(row)


def test_paid_meanwhile_and_not_known_here_yet(site: Site) -> None:
    """The webhook of the payment is still on its way."""
    first_subscription(site)
    fail_next_renewal(site, payments=1)
    mail.outbox.clear()
    row = put(site)
    invoice = next(iter(site.sandbox.api.invoices.list().data))
    site.sandbox.api.invoices.pay(invoice.id)
    send_due()
    assert why(row) == "It was paid meanwhile."


def test_stripe_that_is_away_delays(site: Site) -> None:
    failed(site)
    row = put(site)
    site.sandbox.control("outage", mode="503", requests=1)
    assert send_due() == 0
    row.refresh_from_db()
    assert (row.state, mail.outbox) == (State.WAITING, [])
    site.traveller.move_to(row.next_attempt_at)
    assert send_due() == 1
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("kind", [Kind.PAYMENT_FAILED, Kind.PAYMENT_AUTHENTICATION])
def test_a_bank_that_wants_it_confirmed(site: Site, kind: Notification.Kind) -> None:
    three_d_secure_each_time(site)
    mail.outbox.clear()
    put(site, kind)
    send_due()
    [message] = mail.outbox
    assert message.subject == "Please confirm your payment of $12.00"
    link = next(line for line in message.body.splitlines() if line.startswith("Confirm the payment: "))
    confirm(site, link.removeprefix("Confirm the payment: "))
    site.settle()
    assert site.row.status == "active"


def test_a_bank_that_wants_it_confirmed_and_nobody_to_be_told(site: Site, settings: Any) -> None:
    three_d_secure_each_time(site)
    mail.outbox.clear()
    row = put(site)
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "EMAILS": {"payment_authentication": False}}
    send_due()
    assert "switched off" in why(row)


def test_reminders_end_with_the_grace_period(site: Site) -> None:
    failed(site)
    row = put(site, step=1)
    site.traveller.move_to(site.row.grace_period_end)
    send_due()
    assert why(row) == "The grace period is over."


def test_without_a_grace_period(site: Site) -> None:
    failed(site)
    put(site)
    site.traveller.move_to(site.row.grace_period_end)
    send_due()
    assert "Until it is paid, the limits of Free apply" in mail.outbox[0].body


def test_the_grace_period_has_ended(site: Site) -> None:
    failed(site)
    put(site, Kind.GRACE_ENDED)
    site.traveller.move_to(site.row.grace_period_end)
    send_due()
    [message] = mail.outbox
    assert message.subject == "Standard is on hold: your payment is still open"
    assert "Pay now: http" in message.body


def test_the_grace_period_has_ended_and_it_was_paid(site: Site) -> None:
    failed(site)
    row = put(site, Kind.GRACE_ENDED)
    site.traveller.move_to(site.row.grace_period_end)
    invoice = next(iter(site.sandbox.api.invoices.list().data))
    site.sandbox.api.invoices.void_invoice(invoice.id)
    send_due()
    assert why(row) == "It was paid meanwhile."


def test_another_failure_says_nothing_of_the_first(site: Site, traveller: Any) -> None:
    failed(site)
    put(site)
    traveller.shift(timedelta(hours=1))
    add(site, step=1, grace_end=(now() + timedelta(days=40)).isoformat())
    send_due()
    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    ("status", "error", "asks"),
    [
        ("requires_action", None, True),
        ("requires_payment_method", {"code": "authentication_required"}, True),
        (
            "requires_payment_method",
            {"code": "card_declined", "decline_code": "authentication_required"},
            True,
        ),
        ("requires_payment_method", {"code": "card_declined", "decline_code": "lost_card"}, False),
        ("succeeded", {"code": "authentication_required"}, False),
    ],
)
def test_which_payments_wait_for_the_cardholder(status: str, error: Any, asks: bool) -> None:
    assert _wants_confirmation({"status": status, "last_payment_error": error}) is asks
