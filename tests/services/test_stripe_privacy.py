"""A person is taken out of everything, and the books stay."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, StripeUnavailable
from django_videoq_billing.models import (
    EmailPreference,
    ExtraAllowance,
    Notification,
    PaymentTransaction,
    TranscriptionJob,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services import stripe_mirror, stripe_rebuild
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.plan_changes import cancel
from django_videoq_billing.services.privacy import StillBilled, anonymise, what_there_is
from django_videoq_billing.services.stripe_plans import push_plans
from django_videoq_billing.services.support import grant_allowance
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.webhooks import inbox
from tests.factories import make_user
from tests.stripe_site import OperatorsDriver, receive, row_of, subscribe


@pytest.fixture
def grace(stripe_account: OperatorsDriver, customer: User) -> User:
    """Has paid, got money back, lost a dispute, uploaded and transcribed; all has arrived here."""
    customer.email = "grace@example.com"
    customer.save()
    stripe_account.api.customers.update(
        customer_id(customer), params={"name": "Grace", "email": customer.email}
    )
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    UsageTracker.reserve(customer, "video", 1, key="upload-1").commit()
    TranscriptionJob.objects.create(
        user=customer,
        content_type=ContentType.objects.get_for_model(User),
        object_id="1",
        status="failed",
        key="task-1",
        error_message="Grace's voice is too low",
    )
    arrive(stripe_account)
    return customer


def arrive(account: OperatorsDriver) -> None:
    receive(account)
    inbox.process_due()
    stripe_mirror.mirror_due()


def customer_id(user: User) -> str:
    return str(row_of(user).stripe_customer_id)


def mirrored() -> dict[str, str]:
    """What dj-stripe's tables say of customers, by table."""
    tables = [*stripe_mirror.MODELS.values(), "Event", "WebhookEventTrigger", "SetupIntent", "InvoiceItem"]
    rows = {name: list(apps.get_model("djstripe", name)._default_manager.values()) for name in tables}
    return {name: json.dumps(found, default=str) for name, found in rows.items() if found}


def names_of(events: Any) -> list[str]:
    """The events that say anything of a person. A moment may hold the digits of a card as well."""
    words = ("grace", "@example", '"4242"', "last4")
    return [
        event.type for event in events if any(word in json.dumps(event.payload).lower() for word in words)
    ]


def ledger() -> list[tuple[Any, ...]]:
    names = ("stripe_object_id", "amount_cents", "currency", "type", "status", "description", "created_at")
    return list(PaymentTransaction.objects.order_by("pk").values_list(*names))


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


def test_stopped_by_stripe_it_goes_on_later(stripe_account: OperatorsDriver, grace: User) -> None:
    stripe_account.control("outage", mode="503", requests=1, path="/v1/invoices")
    with pytest.raises(StripeUnavailable):
        anonymise(grace, cancel=True)
    assert row_of(grace).stripe_customer_id, "it is still known whom to forget"
    anonymise(grace)
    assert names_of(WebhookEvent.objects.all()) == []
    assert row_of(grace).stripe_customer_id is None


def test_a_rebuild_does_not_bind_the_customer_again(stripe_account: OperatorsDriver, grace: User) -> None:
    anonymise(grace, cancel=True)
    assert stripe_rebuild.adopt() == 0
    assert stripe_rebuild.adopt(grace) == 0
    assert row_of(grace).stripe_customer_id is None


def test_a_customer_deleted_at_stripe(stripe_account: OperatorsDriver, grace: User) -> None:
    stripe_account.api.customers.delete(customer_id(grace))
    anonymise(grace)
    assert names_of(WebhookEvent.objects.all()) == []
    assert row_of(grace).stripe_customer_id is None
    assert mirrored().keys() == {"Customer", "Product", "Price"}


def test_other_customers_are_left_alone(stripe_account: OperatorsDriver, grace: User) -> None:
    other = subscribe(stripe_account, make_user(username="lovelace"), "premium")
    UsageTracker.reserve(other, "video", 1, key="upload-1").commit()
    arrive(stripe_account)
    mine = WebhookEvent.objects.filter(payload__data__object__customer=customer_id(other))
    events, row = list(mine.values()), row_of(other)

    anonymise(grace, cancel=True)

    assert len(events) > 3
    assert list(mine.values()) == events
    assert row_of(other).stripe_customer_id == row.stripe_customer_id
    assert PaymentTransaction.objects.get(user=other).amount_cents == 4900
    assert UsageReservation.objects.get(user=other).key == "upload-1"
    assert apps.get_model("djstripe", "Subscription").objects.count() == 1
    assert stripe_mirror.default_card(customer_id(other))["last4"] == "4242"


def test_scrubbed_events_can_be_replayed(stripe_account: OperatorsDriver, grace: User) -> None:
    anonymise(grace, cancel=True)
    books, left = ledger(), mirrored()
    count = inbox.replay(WebhookEvent.objects.all())
    assert inbox.process_due() == count
    stripe_mirror.mirror_due()
    assert not WebhookEvent.objects.filter(state="failed").exists()
    assert (ledger(), mirrored()) == (books, left)
    assert row_of(grace).stripe_customer_id is None


def test_who_comes_back_is_a_new_customer(stripe_account: OperatorsDriver, grace: User) -> None:
    former = customer_id(grace)
    anonymise(grace, cancel=True)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        subscribe(stripe_account, grace, "premium")
        arrive(stripe_account)
    assert customer_id(grace) != former
    assert (row_of(grace).plan.slug, row_of(grace).status) == ("premium", "active")


def test_without_djstripe(stripe_account: OperatorsDriver, customer: User, settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "djstripe"]
    receive(stripe_account)
    done = anonymise(customer, cancel=True)
    assert (done.mirrored, names_of(WebhookEvent.objects.all())) == (0, [])
    assert done.events > 0


def test_a_checkout_begun_meanwhile_is_seen(
    stripe_account: OperatorsDriver, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stripe_mirror.forget_customer

    def meanwhile(known: str) -> int:
        row = row_of(grace)
        row.stripe_checkout_session_id = "cs_of_another_tab"
        row.save()
        return real(known)

    monkeypatch.setattr(stripe_mirror, "forget_customer", meanwhile)
    with pytest.raises(Conflict, match="Try again"):
        anonymise(grace, cancel=True)
    assert row_of(grace).stripe_customer_id
    assert PaymentTransaction.objects.filter(user=grace).count() == 3


@pytest.mark.django_db
def test_who_was_never_at_stripe() -> None:
    user = make_user()
    UsageTracker.reserve(user, "video", 1, key="upload-1").commit()
    job = TranscriptionJob.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(User), object_id="1", key="task-1"
    )
    assert (what_there_is(user).reservations, what_there_is(user).open_jobs) == (1, 1)

    done = anonymise(user)

    assert (done.reservations, done.jobs, done.open_jobs, done.stripe_ids) == (1, 0, 1, False)
    job.refresh_from_db()
    assert job.key == "task-1", "a task that still runs finds its job by it"


def test_what_there_is_is_what_is_done(stripe_account: OperatorsDriver, grace: User) -> None:
    [subscription] = stripe_account.api.subscriptions.list()
    stripe_account.api.subscriptions.cancel(subscription.id)
    arrive(stripe_account)
    promised = what_there_is(grace)
    done = anonymise(grace)
    assert (promised.payments, promised.events, promised.jobs) == (done.payments, done.events, done.jobs)
    assert promised.mirrored > 0
    assert what_there_is(grace) == type(done)(0, 0, 0, 0, 0, 0, 0, 0, False)
