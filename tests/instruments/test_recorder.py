"""What a paying user's life leaves in the log: names that are stable, and nobody's data."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from django_videoq_billing.models import PaymentTransaction
from django_videoq_billing.services import plan_changes, subscriptions
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.webhooks import inbox
from tests.api.shop import Shop
from tests.factories import make_payment, make_plan
from tests.leaks import leaks, written

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Any:
    """A function that returns what was logged since it was last asked, by name."""
    caplog.set_level(logging.INFO, "django_videoq_billing")

    def since() -> dict[str, dict[str, Any]]:
        found = {r.getMessage(): vars(r) for r in caplog.records if r.name == "django_videoq_billing"}
        caplog.clear()
        return found

    return since


def test_a_life(shop: Shop, records: Any, django_capture_on_commit_callbacks: Any) -> None:
    user_id = str(shop.user.pk)
    with django_capture_on_commit_callbacks(execute=True):
        shop.subscribe(shop.standard)
        for event in shop.stripe.all_events():
            inbox.store(event)
            inbox.process_event(event["id"])
    told = records()
    assert {"checkout_started", "subscription_activated", "plan_changed", "payment_succeeded"} <= told.keys()
    assert {"webhook_received", "webhook_processed"} <= told.keys()
    assert told["checkout_started"]["user_id"] == told["payment_succeeded"]["user_id"] == user_id
    assert (told["plan_changed"]["previous_plan"], told["plan_changed"]["plan"]) == ("free", "standard")
    assert (told["payment_succeeded"]["amount"], told["payment_succeeded"]["currency"]) == (1200, "USD")

    with django_capture_on_commit_callbacks(execute=True):
        plan_changes.change(shop.user, shop.premium)
        plan_changes.cancel(shop.user)
        plan_changes.reactivate(shop.user)
    told = records()
    assert list(told) == [
        "plan_change_requested",
        "cancellation_requested",
        "reactivation_requested",
        "plan_changed",
    ]
    assert told["cancellation_requested"]["immediate"] is False

    with django_capture_on_commit_callbacks(execute=True):
        shop.user.delete()
    assert records()["billing_ended"]["subscriptions"] == 1


def test_it_tells_nobodys_data(
    shop: Shop, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    caplog.set_level(logging.DEBUG, "django_videoq_billing")
    with django_capture_on_commit_callbacks(execute=True):
        shop.subscribe(shop.standard)
        for event in shop.stripe.all_events():
            inbox.store(event)
            inbox.process_event(event["id"])
        plan_changes.cancel(shop.user)
    ours = [record for record in caplog.records if record.name == "django_videoq_billing"]
    assert len(ours) > 10
    for record in ours:
        told = written(record)
        assert not leaks(told), told
        assert shop.user.email not in told
        assert shop.user.username not in told


@pytest.mark.parametrize(
    ("fields", "name", "level"),
    [
        ({}, "payment_succeeded", "INFO"),
        ({"type": Type.PRORATION}, "payment_succeeded", "INFO"),
        ({"status": Status.FAILED}, "payment_failed", "WARNING"),
        ({"type": Type.SUBSCRIPTION_REFUND, "status": Status.REFUNDED}, "payment_refunded", "INFO"),
        ({"type": Type.SUBSCRIPTION_REFUND, "status": Status.FAILED}, "payment_refunded", "INFO"),
        ({"type": Type.DISPUTE, "status": Status.DISPUTED}, "payment_disputed", "WARNING"),
        ({"type": Type.DISPUTE, "status": Status.SUCCEEDED}, "payment_disputed", "WARNING"),
    ],
)
def test_a_line_of_the_ledger(
    user: Any,
    records: Any,
    django_capture_on_commit_callbacks: Any,
    fields: dict[str, Any],
    name: str,
    level: str,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        make_payment(user=user, **fields)
    assert records() == {}, "not before the commit"
    for callback in callbacks:
        callback()
    told = records()
    assert list(told) == [name]
    assert told[name]["levelname"] == level
    assert told[name]["amount"] == 1200


def test_a_plan_given_by_hand(user: Any, records: Any) -> None:
    plan = make_plan(slug="gift")
    subscriptions.assign_plan(user, plan)
    told = records()["plan_assigned"]
    assert (told["user_id"], told["plan"]) == (str(user.pk), "gift")


def test_a_refusal(user: Any, records: Any) -> None:
    UsageTracker.count(user, "video", 3)
    with pytest.raises(Exception, match="limit"):
        UsageTracker.count(user, "video", 2)
    told = records()["quota_refused"]
    figures = {name: told[name] for name in ("metric", "amount", "used", "limit")}
    assert figures == {"metric": "video", "amount": 2, "used": 3, "limit": 3}
