"""A person is taken out of everything, and the books stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_videoq_billing.models import (
    EmailPreference,
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    TranscriptionJob,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.plan_changes import cancel
from django_videoq_billing.services.privacy import StillBilled, anonymise
from django_videoq_billing.services.stripe_plans import push_plans
from django_videoq_billing.services.support import grant_allowance
from django_videoq_billing.webhooks import inbox
from tests.factories import make_user
from tests.services.anonymising import arrive, customer_id, grace, ledger, mirrored, names_of
from tests.stripe_site import OperatorsDriver, receive, row_of

__all__ = ["grace"]


def test_the_person_is_gone_and_the_books_are_kept(stripe_account: OperatorsDriver, grace: User) -> None:
    cancelled = customer_id(grace)
    before = ledger()
    assert names_of(WebhookEvent.objects.all())

    EmailPreference.objects.create(user=grace, language="ja")

    done = anonymise(grace, cancel=True)

    assert done.emails >= 2, "the choice, and what was sent or was still to be"
    assert not EmailPreference.objects.exists()
    assert not Notification.objects.exists()
    assert ledger() == before
    assert len(before) == done.payments == 3
    assert not PaymentTransaction.objects.exclude(user=None, invoice_url="", invoice_pdf="").exists()
    assert names_of(WebhookEvent.objects.all()) == []
    whole = WebhookEvent.objects.filter(payload__anonymised__isnull=True).values_list("type", flat=True)
    assert {name.partition(".")[0] for name in whole} == {"product", "price"}, "refunds and disputes, too"
    row = row_of(grace)
    assert (row.stripe_customer_id, row.stripe_subscription_id, row.stripe_checkout_session_id) == (
        None,
        None,
        "",
    )
    assert (row.status, row.is_billed) == ("cancelled", False)
    assert UsageReservation.objects.get().key is None
    job = TranscriptionJob.objects.get()
    assert (job.key, job.error_message, job.user) == ("", "", grace)
    assert {state.status for state in stripe_account.api.subscriptions.list(params={"status": "all"})} == {
        "canceled"
    }
    assert User.objects.filter(pk=grace.pk).exists(), "the user's row is the host's"
    assert done.events > 10
    assert done.mirrored > 5
    left = mirrored()
    assert left.keys() == {"Customer", "Product", "Price"}
    assert "grace" not in left["Customer"].lower()
    assert cancelled in left["Customer"], "so that no late event brings it back"


def test_what_support_has_written_goes_and_the_fact_stays(
    stripe_account: OperatorsDriver, grace: User
) -> None:
    grant_allowance(grace, "video", 1, reason="Grace called.", author=None)
    assert anonymise(grace, cancel=True).reasons == 1
    assert ExtraAllowance.objects.values("amount", "reason").get() == {"amount": 1, "reason": "-"}


def test_while_a_subscription_is_alive_nothing_is_done(stripe_account: OperatorsDriver, grace: User) -> None:
    def state() -> Any:
        return ledger(), mirrored(), list(WebhookEvent.objects.values()), row_of(grace).stripe_customer_id

    before = state()
    with pytest.raises(StillBilled, match="still alive"):
        anonymise(grace)
    assert state() == before
    cancel(grace)
    with pytest.raises(StillBilled):
        anonymise(grace)
    assert {one.status for one in stripe_account.api.subscriptions.list()} == {"active"}


def test_a_subscription_that_has_ended_needs_no_cancelling(
    stripe_account: OperatorsDriver, grace: User
) -> None:
    [subscription] = stripe_account.api.subscriptions.list()
    stripe_account.api.subscriptions.cancel(subscription.id)  # and the event is still on its way
    anonymise(grace)
    assert (row_of(grace).status, row_of(grace).stripe_customer_id) == ("cancelled", None)


def test_a_payment_that_has_not_arrived_is_in_the_books(
    stripe_account: OperatorsDriver, customer: User
) -> None:
    anonymise(customer, cancel=True)
    assert [(row[1], row[4]) for row in ledger()] == [(1200, "succeeded")]
    assert PaymentTransaction.objects.get().user is None


def test_an_open_checkout_page_is_closed(stripe_account: OperatorsDriver, plans: Any) -> None:
    list(push_plans())
    plans[1].refresh_from_db()
    user = make_user()
    session = start_checkout(user, plans[1], "https://testserver/ok", "https://testserver/no")
    anonymise(user)
    assert stripe_account.api.checkout.sessions.retrieve(session.id).status == "expired"
    assert row_of(user).stripe_checkout_session_id == ""


def test_twice_is_safe_and_the_second_finds_what_came_late(
    stripe_account: OperatorsDriver, grace: User
) -> None:
    anonymise(grace, cancel=True)
    before, books = mirrored(), ledger()
    receive(stripe_account)  # the cancellation's own events
    assert WebhookEvent.objects.filter(payload__anonymised__isnull=True).exists()
    inbox.process_due()
    stripe_mirror.mirror_due()
    assert mirrored() == before, "nothing brings the person back into the mirror"

    again = anonymise(grace)

    assert (again.payments, again.mirrored, again.stripe_ids) == (0, 0, False)
    assert again.events > 0
    assert names_of(WebhookEvent.objects.all()) == []
    assert ledger() == books
    assert anonymise(grace).events == 0


def test_late_refunds_are_not_mirrored(stripe_account: OperatorsDriver, customer: User) -> None:
    arrive(stripe_account)
    anonymise(customer, cancel=True)
    before = mirrored()
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 100})
    arrive(stripe_account)
    assert mirrored() == before
