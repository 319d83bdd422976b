"""Deliveries: signatures, retries, and every switch that makes them misbehave."""

from __future__ import annotations

import json

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver, Receiver, wait_until


@pytest.fixture
def endpoint(sandbox: Driver, receiver: Receiver) -> stripe.WebhookEndpoint:
    return sandbox.api.webhook_endpoints.create(params={"url": receiver.url, "enabled_events": ["*"]})


def subscribe(sandbox: Driver) -> None:
    sandbox.subscribe(sandbox.customer().id, sandbox.price().id)


def drain(sandbox: Driver) -> None:
    sandbox.control("deliveries/drain")


def test_signed_and_in_order(sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> None:
    subscribe(sandbox)
    drain(sandbox)
    assert receiver.types == [event["type"] for event in sandbox.all_events()]
    for header, body in receiver.requests:
        event = stripe.Webhook.construct_event(body, header, endpoint.secret)
        assert event.api_version == "2026-05-27.dahlia"
    assert all(event["pending_webhooks"] == 0 for event in sandbox.all_events())
    assert not hasattr(sandbox.api.webhook_endpoints.retrieve(endpoint.id), "secret")


def test_events_are_sent_without_being_asked_for(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    receiver.answers = [500]
    sandbox.customer(None)

    def attempts() -> list[int]:
        [delivery] = sandbox.http.get("/_sandbox/deliveries").json()["deliveries"]
        return [attempt["status"] for attempt in delivery["attempts"]]

    wait_until(lambda: attempts() == [500])
    sandbox.advance(seconds=60)
    wait_until(lambda: attempts() == [500, 200])
    assert receiver.types == ["customer.created"] * 2


def test_enabled_events_and_disabled_endpoints(sandbox: Driver, receiver: Receiver) -> None:
    made = sandbox.api.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["invoice.paid", "customer.created"]}
    )
    subscribe(sandbox)
    drain(sandbox)
    assert receiver.types == ["customer.created", "invoice.paid"]
    sandbox.api.webhook_endpoints.update(made.id, params={"disabled": True})
    subscribe(sandbox)
    drain(sandbox)
    assert len(receiver.types) == 2
    assert sandbox.api.webhook_endpoints.delete(made.id).deleted


def test_two_signatures_while_a_secret_is_rotated(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    rolled = sandbox.control(f"webhook_endpoints/{endpoint.id}/roll_secret")
    assert rolled["old"] == endpoint.secret
    sandbox.customer(None)
    drain(sandbox)
    header, body = receiver.requests[0]
    for secret in (rolled["secret"], rolled["old"]):
        stripe.Webhook.construct_event(body, header, secret)


def test_failures_are_retried_by_the_clock(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    receiver.answers = [500, 404]
    sandbox.customer(None)
    drain(sandbox)
    assert len(receiver.requests) == 1
    assert sandbox.all_events()[0]["pending_webhooks"] == 1
    sandbox.advance(seconds=60)
    drain(sandbox)
    sandbox.advance(seconds=300)
    drain(sandbox)
    assert len(set(receiver.ids)) == 1
    deliveries = sandbox.http.get("/_sandbox/deliveries").json()["deliveries"]
    assert [attempt["status"] for attempt in deliveries[0]["attempts"]] == [500, 404, 200]
    assert deliveries[0]["status"] == "succeeded"


def test_given_up_after_three_days(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    receiver.answers = [500] * 50
    sandbox.customer(None)
    for _ in range(20):
        drain(sandbox)
        sandbox.advance(seconds=10 * 3600)
    deliveries = sandbox.http.get("/_sandbox/deliveries").json()["deliveries"]
    assert deliveries[0]["status"] == "failed"
    assert deliveries[0]["attempts"][-1]["at"] - deliveries[0]["attempts"][0]["at"] <= 3 * DAY


def test_duplicates(sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> None:
    sandbox.control("switches", duplicate=2)
    sandbox.customer(None)
    drain(sandbox)
    assert (len(receiver.ids), len(set(receiver.ids))) == (3, 1)


def test_shuffle_of_what_was_paused(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    sandbox.control("switches", paused=True, shuffle=True)
    subscribe(sandbox)
    drain(sandbox)
    assert receiver.requests == []
    sandbox.control("deliveries/flush")
    ordered = [event["type"] for event in sandbox.all_events()]
    assert sorted(receiver.types) == sorted(ordered)
    assert receiver.types != ordered


def test_delay(sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> None:
    sandbox.control("switches", delay_seconds=600)
    sandbox.customer(None)
    drain(sandbox)
    assert receiver.requests == []
    sandbox.advance(seconds=600)
    drain(sandbox)
    assert receiver.types == ["customer.created"]


def test_losing_first_attempts(sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> None:
    sandbox.control("switches", drop="first")
    sandbox.customer(None)
    drain(sandbox)
    assert receiver.requests == []
    sandbox.advance(seconds=60)
    drain(sandbox)
    assert receiver.types == ["customer.created"]


def test_losing_everything_and_asking_for_it(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    sandbox.control("switches", drop="all")
    sandbox.customer(None)
    sandbox.control("deliveries/flush")
    assert receiver.requests == []
    missed = sandbox.api.events.list(params={"type": "customer.*", "delivery_success": False}).data
    assert [event.type for event in missed] == ["customer.created"]
    sandbox.control("switches", drop="none")
    sandbox.control(f"events/{missed[0].id}/redeliver")
    drain(sandbox)
    assert receiver.ids == [missed[0].id]
    assert sandbox.api.events.list(params={"delivery_success": False}).data == []
    sandbox.advance(days=31)
    assert sandbox.api.events.list().data == []


def test_a_dead_receiver_does_not_hold_up_the_api(sandbox: Driver) -> None:
    sandbox.api.webhook_endpoints.create(params={"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    sandbox.customer(None)
    drain(sandbox)
    delivery = sandbox.http.get("/_sandbox/deliveries").json()["deliveries"][0]
    assert delivery["status"] == "pending"
    assert delivery["attempts"][0]["error"]


def test_a_receiver_sees_each_moment_while_time_moves(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    subscribe(sandbox)
    drain(sandbox)
    receiver.requests.clear()
    sandbox.control("clock", advance_seconds=62 * DAY, drain=True)
    bodies = [json.loads(body) for _, body in receiver.requests]
    assert [body["type"] for body in bodies].count("invoice.paid") == 2
    attempts = sandbox.http.get("/_sandbox/deliveries").json()["deliveries"]
    assert all(one["attempts"][0]["at"] == one["created"] for one in attempts)


def test_events_by_type_and_time(sandbox: Driver) -> None:
    subscribe(sandbox)
    moment = sandbox.now()
    sandbox.advance(days=31, seconds=3600)
    paid = sandbox.api.events.list(params={"types": ["invoice.paid"], "created": {"gt": moment}}).data
    assert len(paid) == 1
    assert sandbox.api.events.retrieve(paid[0].id).data.object["status"] == "paid"
    assert sandbox.control("events/delete", type="invoice.*")["deleted"] > 0
    assert sandbox.api.events.list(params={"type": "invoice.paid"}).data == []


def test_signatures_by_the_sandbox_clock(
    sandbox: Driver, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    sandbox.control("switches", signature_time="clock", concurrency=3)
    subscribe(sandbox)
    drain(sandbox)
    assert {header.split(",")[0] for header, _ in receiver.requests} == {f"t={sandbox.now()}"}
    assert sorted(receiver.types) == sorted(event["type"] for event in sandbox.all_events())


def test_an_outage_of_one_path(sandbox: Driver) -> None:
    sandbox.control("outage", mode="500", path="/v1/customers")
    assert sandbox.api.products.list().data == []
    with pytest.raises(stripe.APIError):
        sandbox.api.customers.list()
