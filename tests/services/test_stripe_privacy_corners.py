"""A person is taken out while something is in the way, or not as usual."""

from __future__ import annotations

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
    PaymentTransaction,
    TranscriptionJob,
    UsageReservation,
    WebhookEvent,
)
from django_videoq_billing.services import stripe_mirror, stripe_rebuild
from django_videoq_billing.services.privacy import anonymise, what_there_is
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.webhooks import inbox
from tests.factories import make_user
from tests.services.anonymising import arrive, customer_id, grace, ledger, mirrored, names_of
from tests.stripe_site import OperatorsDriver, receive, row_of, subscribe

__all__ = ["grace"]


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
