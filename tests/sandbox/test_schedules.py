"""Subscription schedules: a downgrade at the period's end, a change of mind, release and cancellation."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver

UPDATED = "customer.subscription.updated"


@pytest.fixture
def cheap(sandbox: Driver) -> stripe.Price:
    return sandbox.price(500)


@pytest.fixture
def subscription(sandbox: Driver) -> stripe.Subscription:
    made = sandbox.subscribe(sandbox.customer().id, sandbox.price(1200).id)
    sandbox.new_events()
    return made


def downgrade(
    sandbox: Driver, subscription: stripe.Subscription, price: str, **phase: Any
) -> stripe.SubscriptionSchedule:
    schedule = sandbox.api.subscription_schedules.create(params={"from_subscription": subscription.id})
    current = schedule.phases[0]
    now: Any = {
        "items": [{"price": str(current["items"][0].price), "quantity": 1}],
        "start_date": current.start_date,
        "end_date": current.end_date,
    }
    then: Any = {"items": [{"price": price}], "duration": {"interval": "month"}, **phase}
    return sandbox.api.subscription_schedules.update(
        schedule.id, params={"end_behavior": "release", "phases": [now, then]}
    )


def test_downgrade_at_the_end_of_the_period(
    sandbox: Driver, subscription: stripe.Subscription, cheap: stripe.Price
) -> None:
    schedule = downgrade(sandbox, subscription, cheap.id)
    assert sandbox.new_types(without=("product.", "price.")) == [
        "subscription_schedule.created", UPDATED, "subscription_schedule.updated",
    ]  # fmt: skip
    assert schedule.status == "active"
    assert sandbox.api.subscriptions.retrieve(subscription.id).schedule == schedule.id
    sandbox.new_events()
    sandbox.advance(days=31)
    assert sandbox.new_types() == ["subscription_schedule.updated", UPDATED, "invoice.created"]
    assert sandbox.item(subscription.id).price.id == cheap.id
    assert sandbox.item(subscription.id).id == subscription["items"].data[0].id
    sandbox.advance(seconds=3600)
    invoice = sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0]
    assert (invoice.amount_paid, [line.amount for line in invoice.lines.data]) == (500, [500])
    sandbox.advance(days=28)
    released = sandbox.api.subscription_schedules.retrieve(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    after = sandbox.api.subscriptions.retrieve(subscription.id)
    assert (after.schedule, after.status) == (None, "active")


def test_change_of_mind(sandbox: Driver, subscription: stripe.Subscription, cheap: stripe.Price) -> None:
    schedule = downgrade(sandbox, subscription, cheap.id)
    sandbox.new_events()
    sandbox.api.subscription_schedules.release(schedule.id)
    assert sandbox.new_types() == [UPDATED, "subscription_schedule.released"]
    sandbox.advance(days=32)
    assert sandbox.item(subscription.id).price.id != cheap.id


def test_a_direct_change_joins_the_present_phase(
    sandbox: Driver, subscription: stripe.Subscription, cheap: stripe.Price
) -> None:
    schedule = downgrade(sandbox, subscription, cheap.id)
    preview = sandbox.api.invoices.create_preview(params={"subscription": subscription.id})
    assert preview.amount_due == 500
    dear = sandbox.price(9900)
    sandbox.change(subscription.id, dear.id, proration_behavior="always_invoice")
    after = sandbox.api.subscription_schedules.retrieve(schedule.id)
    assert [phase["items"][0].price for phase in after.phases] == [dear.id, cheap.id]
    sandbox.advance(days=31, seconds=3600)
    assert sandbox.item(subscription.id).price.id == cheap.id


def test_month_to_year_at_the_end_of_the_period(sandbox: Driver, subscription: stripe.Subscription) -> None:
    yearly = sandbox.price(9000, "year")
    downgrade(sandbox, subscription, yearly.id, duration={"interval": "year"})
    sandbox.advance(days=31, seconds=3600)
    item = sandbox.item(subscription.id)
    assert item.current_period_end - item.current_period_start == 365 * DAY
    assert sandbox.api.invoices.list(params={"subscription": subscription.id}).data[0].amount_paid == 9000


def test_canceling_the_schedule_cancels_the_subscription(
    sandbox: Driver, subscription: stripe.Subscription, cheap: stripe.Price
) -> None:
    schedule = downgrade(sandbox, subscription, cheap.id)
    sandbox.new_events()
    assert sandbox.api.subscription_schedules.cancel(schedule.id).status == "canceled"
    assert sandbox.new_types() == ["customer.subscription.deleted", "subscription_schedule.canceled"]


def test_end_behavior_cancel(sandbox: Driver, subscription: stripe.Subscription) -> None:
    schedule = sandbox.api.subscription_schedules.create(params={"from_subscription": subscription.id})
    sandbox.api.subscription_schedules.update(schedule.id, params={"end_behavior": "cancel"})
    sandbox.advance(days=31)
    assert sandbox.status(subscription.id) == "canceled"
    assert sandbox.api.subscription_schedules.retrieve(schedule.id).status == "completed"


def test_a_schedule_of_its_own_starts_later(sandbox: Driver, cheap: stripe.Price) -> None:
    customer = sandbox.customer()
    schedule = sandbox.api.subscription_schedules.create(
        params={
            "customer": customer.id,
            "start_date": sandbox.now() + 5 * DAY,
            "phases": [
                {"items": [{"price": cheap.id}], "duration": {"interval": "month", "interval_count": 2}}
            ],
        }
    )
    assert schedule.status == "not_started"
    sandbox.advance(days=5)
    started = sandbox.api.subscription_schedules.retrieve(schedule.id, params={"expand": ["subscription"]})
    assert isinstance(started.subscription, stripe.Subscription)
    assert (started.status, started.subscription.status) == ("active", "active")


def test_what_a_schedule_forbids(
    sandbox: Driver, subscription: stripe.Subscription, cheap: stripe.Price
) -> None:
    schedule = sandbox.api.subscription_schedules.create(params={"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        sandbox.api.subscriptions.update(subscription.id, params={"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        sandbox.api.subscription_schedules.create(params={"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.subscription_schedules.update(
            schedule.id, params={"phases": [{"items": [{"price": cheap.id}]}]}
        )
    assert caught.value.param == "phases[0][start_date]"
    with pytest.raises(stripe.InvalidRequestError, match="start date of the current phase"):
        sandbox.api.subscription_schedules.update(
            schedule.id,
            params={"phases": [{"items": [{"price": cheap.id}], "start_date": sandbox.now() + 60}]},
        )
    sandbox.api.subscription_schedules.release(schedule.id)
    with pytest.raises(stripe.InvalidRequestError, match="released"):
        sandbox.api.subscription_schedules.release(schedule.id)
