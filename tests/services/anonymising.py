"""A person of whom everything is kept, and what is left of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from django_videoq_billing.models import (
    PaymentTransaction,
    TranscriptionJob,
)
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.webhooks import inbox
from tests.stripe_site import OperatorsDriver, receive, row_of


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
