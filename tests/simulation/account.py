"""Stripe's side as it is, read through the SDK and past our own parsing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe

from tests.sandbox.driver import Driver

Json = dict[str, Any]
Answer = TypeVar("Answer")

LIVING = ("trialing", "active", "past_due", "unpaid", "paused")
PATIENCE = 50
"""An outage of the simulation is over after fewer requests."""


class Account:
    def __init__(self, sandbox: Driver) -> None:
        self.sandbox = sandbox
        self.api = sandbox.api

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer: whoever judges must not be misled by an outage."""
        for _ in range(PATIENCE):
            try:
                return question()
            except stripe.APIError as error:
                if error.http_status != 503:
                    raise
        raise SystemExit("The sandbox does not come back.")

    def each(self, kind: str, **params: Any) -> Iterator[Json]:
        """Every object of a collection, newest first."""
        collection = getattr(self.api, kind)
        wanted: Json = {"limit": 100, **params}
        while True:
            answer = self.ask(lambda: collection.list(wanted))
            page = json.loads(
                answer.last_response.body
            )  # as it was sent: the SDK makes Decimals of some figures
            yield from page["data"]
            if not page["has_more"]:
                return
            wanted["starting_after"] = page["data"][-1]["id"]

    def subscriptions(self, customer: str | None) -> list[Json]:
        """All that the customer ever had, with their schedules, newest first."""
        if not customer:
            return []
        return list(self.each("subscriptions", customer=customer, status="all", expand=["data.schedule"]))

    def living(self, customer: str | None) -> Json | None:
        return next((one for one in self.subscriptions(customer) if one["status"] in LIVING), None)


def price_of(subscription: Json) -> Json:
    price: Json = subscription["items"]["data"][0]["price"]
    return price


def period_of(subscription: Json) -> tuple[int, int]:
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def pending_of(subscription: Json) -> tuple[str, int] | None:
    """The price that a schedule brings at the end of the period, and when."""
    schedule = subscription.get("schedule")
    if not schedule or schedule["status"] != "active":
        return None
    _, end = period_of(subscription)
    later = [phase for phase in schedule["phases"] if phase["start_date"] >= end]
    return (str(later[0]["items"][0]["price"]), later[0]["start_date"]) if later else None


def moment(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC)
