from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from django_videoq_billing.models import EmailPreference, TranscriptionJob, UsageCorrection
from django_videoq_billing.services import usage_alerts
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.privacy import billing_data_of
from django_videoq_billing.services.privacy.export import GIVEN, OF_STRIPE
from django_videoq_billing.services.support import grant_allowance
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.types import Metric
from django_videoq_billing.usage import UsageStore
from tests.factories import make_payment, make_plan, make_user, subscribed
from tests.models.rows import new_refusal

# Never given out: other rows' keys, which are given by name instead, and what only we work with.
OURS = {
    "UserSubscription": {
        "id",
        "user",
        "plan",
        "pending_plan",
        "sync_ticket",
        "sync_applied",
        "reconciled_at",
        "extra_videos",
        "extra_transcription_seconds",
        "extra_changes_at",
    },
    "UsageRecord": {"id", "user"},
    "UsageReservation": {"user", "record"},
    "PaymentTransaction": {"id", "user", "plan"},
    "UsageAlert": {"id", "user"},
    "UsageRefusal": {"id", "user"},
    "ExtraAllowance": {"id", "user", "author"},
    "UsageCorrection": {"id", "user", "author"},
    "Notification": {
        *{"id", "user", "key", "message_id", "attempts", "next_attempt_at", "leased_until", "error"},
    },
    "EmailPreference": {"id", "user"},
    "TranscriptionJob": {"id", "user", "content_type", "reservation_id", "key", "claims_video"},
}


@pytest.mark.parametrize("model", GIVEN, ids=lambda model: model.__name__)
def test_of_every_field_it_is_decided(model: type[Model]) -> None:
    """A new field must not slip in or be forgotten."""
    names = {field.name for field in model._meta.concrete_fields}
    given, of_stripe = set(GIVEN[model]), set(OF_STRIPE.get(model, []))
    assert names == given | of_stripe | OURS[model.__name__]
    assert not [name for name in given if "stripe" in name or "invoice" in name]


def make_life(user: User, number: int = 1) -> None:
    """An upload, a payment and a transcription that failed."""
    UsageTracker.reserve(user, "video", 2, key=f"upload-{number}").commit()
    period = entitlement_for(user).period
    usage_alerts.notice(user.pk, Metric.VIDEO, period, 4, 5)
    EmailPreference.objects.create(user=user, language="ja", unsubscribed=["usage_warning"])
    new_refusal(user=user).save()
    grant_allowance(user, "video", 5, reason=f"lost upload-{number}", author=None)
    UsageCorrection.objects.create(
        user=user, metric="video", period_start=period.start, before=3, after=2, reason=f"twice {number}"
    )
    make_payment(user=user, stripe_object_id=f"in_{number}", invoice_url=f"https://pay.example.com/{number}")
    TranscriptionJob.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=f"video-{number}",
        key=f"task-{number}",
        error_message="no sound",
        status="failed",
    )


@pytest.fixture
def ada(store: UsageStore) -> User:
    """A paying user with one of everything, beside somebody else with the same."""
    plan = make_plan(slug="standard", name="Standard", price_cents=1200)
    ids = {"stripe_customer_id": "cus_1", "stripe_subscription_id": "sub_1"}
    user = subscribed(plan, make_user(username="ada"), **ids)
    make_life(user)
    make_life(make_user(username="eve"), 2)
    return user


def as_json(user: User, **options: Any) -> str:
    return json.dumps(billing_data_of(user, **options), cls=DjangoJSONEncoder)


def test_all_there_is_of_one_user(ada: User) -> None:
    data = billing_data_of(ada)
    assert data["user"] == {"id": str(ada.pk), "username": "ada"}
    bought = {
        "plan_slug": "standard",
        "plan_name": "Standard",
        "price_cents": 1200,
        "currency": "USD",
        "interval": "month",
        "pending_plan_slug": None,
    }
    assert data["subscription"].items() >= bought.items()
    assert [(row["video_count"], row["video_limit"]) for row in data["usage"]] == [(2, 5)]
    assert [(row["amount"], row["state"], row["key"]) for row in data["reservations"]] == [
        (2, "committed", "upload-1")
    ]
    assert [(row["amount_cents"], row["status"]) for row in data["payments"]] == [(1200, "succeeded")]
    assert [(row["metric"], row["threshold"]) for row in data["usage_alerts"]] == [("video", 80)]
    assert [(row["used"], row["limit"]) for row in data["refusals"]] == [(3, 3)]
    assert [row["kind"] for row in data["emails"]] == ["usage_warning"]
    assert data["email_preference"]["language"] == "ja"
    assert [(row["amount"], row["reason"]) for row in data["extra_allowances"]] == [(5, "lost upload-1")]
    assert [(row["before"], row["after"], row["reason"]) for row in data["usage_corrections"]] == [
        (3, 2, "twice 1")
    ]
    assert [(row["kind"], row["object_id"]) for row in data["transcription_jobs"]] == [("user", "video-1")]


def test_nobody_elses(ada: User) -> None:
    text = as_json(ada, with_stripe=True)
    assert not [word for word in ("eve", "upload-2", "in_2", "video-2") if word in text]


def test_ids_of_stripe_and_links_on_request_alone(ada: User) -> None:
    words = ["cus_1", "sub_1", "in_1", "https://pay.example.com/1"]
    assert [word for word in words if word in as_json(ada)] == []
    assert [word for word in words if word in as_json(ada, with_stripe=True)] == words
    assert "task-1" not in as_json(ada, with_stripe=True), "what only we work with"


@pytest.mark.django_db
def test_who_has_nothing() -> None:
    data = billing_data_of(make_user())
    assert data["subscription"] is None
    assert {len(rows) for name, rows in data.items() if rows is not None and name != "user"} == {0}
    assert data["email_preference"] is None
