"""A site with one user beside a sandbox: both clocks move together, and events are delivered as told."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import time_machine

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import stripe_rebuild
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.entitlements import ensure_subscription
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.webhooks import inbox
from tests.factories import make_plan, make_user
from tests.sandbox.driver import Driver
from tests.signing import signature_of

SECRET = "whsec_for_tests"
Events = list[dict[str, Any]]


class Site:
    """`settle` delivers what has happened since the last call, in the manner that `deliver` stands for."""

    def __init__(self, sandbox: Driver, traveller: time_machine.Traveller, deliver: Deliver) -> None:
        self.sandbox = sandbox
        self.traveller = traveller
        self.deliver = deliver
        self.free = make_plan(name="Free", slug="free", video_limit=3, transcription_limit_minutes=30)
        self.user = make_user(username="ada")
        ensure_subscription(self.user)
        self.standard = self._paid("standard", 1200, video_limit=50)
        self.premium = self._paid("premium", 4900, video_limit=None)
        sandbox.new_events()

    def _paid(self, slug: str, price_cents: int, **fields: Any) -> SubscriptionPlan:
        price = self.sandbox.price(price_cents)
        return make_plan(
            name=slug.title(),
            slug=slug,
            price_cents=price_cents,
            stripe_price_id=price.id,
            stripe_product_id=str(price.product),
            **fields,
        )

    @property
    def row(self) -> UserSubscription:
        return UserSubscription.objects.select_related("plan", "pending_plan").get(user=self.user)

    def checkout(self, plan: SubscriptionPlan, card: str = "4242424242424242", **how: Any) -> dict[str, Any]:
        """Go through the checkout page with this card."""
        session = start_checkout(self.user, plan, "https://testserver/ok", "https://testserver/no")
        return self.sandbox.control(f"checkout/{session.id}/pay", card=card, **how)

    def advance(self, *, days: float = 0, hours: float = 0) -> None:
        """Move both clocks, event by event: a site that is told of a thing asks back at that moment."""
        self.sandbox.advance(days=days, seconds=int(hours * 3600))
        self.follow()

    def follow(self) -> None:
        self.traveller.move_to(datetime.fromtimestamp(self.sandbox.now(), tz=UTC))

    def settle(self) -> None:
        self.deliver.take(self.sandbox.new_events())

    def finish(self) -> None:
        self.settle()
        self.deliver.finish()

    def snapshot(self) -> dict[str, Any]:
        """What a user, and an accountant, would see."""
        row = self.row
        return {
            "plan": row.plan.slug,
            "status": row.status,
            "period": (row.current_period_start, row.current_period_end),
            "ending": (row.cancel_at_period_end, row.cancelled_at, row.trial_end, row.grace_period_end),
            "pending": (row.pending_plan and row.pending_plan.slug, row.pending_plan_effective_at),
            "ledger": sorted(
                PaymentTransaction.objects.values_list(
                    "type", "status", "amount_cents", "currency", "created_at", "plan__slug"
                )
            ),
        }


class Deliver:
    """In order, each once, as things happen."""

    def take(self, events: Events) -> None:
        for event in events:
            receive(event)
        process()

    def finish(self) -> None:
        """Nothing was held back."""


class Thrice(Deliver):
    def take(self, events: Events) -> None:
        super().take([event for event in events for _ in range(3)])


class FirstDropped(Deliver):
    """Each first delivery is lost; it is repeated when the next things have happened already."""

    def __init__(self) -> None:
        self.lost: Events = []

    def take(self, events: Events) -> None:
        arriving, self.lost = self.lost, events
        super().take(arriving)

    def finish(self) -> None:
        self.take([])


class Later(Deliver):
    """Everything at the end, in an order of its own; `reorder` may also lose or repeat events."""

    def __init__(self, reorder: Callable[[Events], Events]) -> None:
        self.held: Events = []
        self.reorder = reorder

    def take(self, events: Events) -> None:
        self.held += events

    def finish(self) -> None:
        super().take(self.reorder(self.held))


class FirstHalfLost(Later):
    """What never arrived, and is too old for Stripe's list of events, is rebuilt as `sync_stripe` does."""

    def __init__(self) -> None:
        super().__init__(lambda events: events[len(events) // 2 :])

    def finish(self) -> None:
        super().finish()
        for event in StripeService.each("events"):
            inbox.store(event)
        process()
        for row in stripe_rebuild.each_customer():
            stripe_rebuild.rebuild_ledger(str(row.stripe_customer_id))


def in_order(events: Events) -> Events:
    return events


def shuffled(seed: int) -> Callable[[Events], Events]:
    def reorder(events: Events) -> Events:
        mixed = list(events) * 2
        random.Random(seed).shuffle(mixed)  # noqa: S311 (a repeatable test, no secret)
        return mixed

    return reorder


def receive(event: dict[str, Any]) -> str:
    body = json.dumps(event)
    header = signature_of(body, SECRET)
    return inbox.receive(body.encode(), header)


def process() -> None:
    inbox.process_due()
