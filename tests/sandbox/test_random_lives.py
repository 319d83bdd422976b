"""Random lives: whatever is asked in whatever order, answers are Stripe's, and the books balance."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver

CARDS = (
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_card_createDispute",
    "pm_usBankAccount_success",
    "pm_usBankAccount_accountClosed",
)


class Life:
    """One customer and the things that may happen to them."""

    def __init__(self, sandbox: Driver, seed: int) -> None:
        self.sandbox = sandbox
        self.random = random.Random(seed)  # noqa: S311
        self.prices = [
            sandbox.price(amount, interval).id
            for amount, interval in ((0, "month"), (900, "month"), (2900, "month"), (29_000, "year"))
        ]
        self.customer = sandbox.customer(self.random.choice(CARDS)).id
        self.moves: tuple[Callable[[], Any], ...] = (
            self.subscribe, self.change, self.change, self.cancel, self.undo, self.advance, self.advance, self.advance,
            self.card, self.fail, self.pay, self.refund, self.schedule, self.release, self.checkout, self.preview,
            self.pause, self.trial,
        )  # fmt: skip

    def subscriptions(self) -> list[str]:
        params: Any = {"customer": self.customer, **({} if self.random.random() < 0.8 else {"status": "all"})}
        found = self.sandbox.api.subscriptions.list(params=params).data
        return [one.id for one in found]

    def some(self) -> str:
        return self.random.choice(self.subscriptions() or ["sub_none"])

    def update(self, **params: Any) -> None:
        self.sandbox.api.subscriptions.update(self.some(), params=params)  # type: ignore[arg-type]

    def subscribe(self) -> None:
        behavior = self.random.choice(["allow_incomplete", "default_incomplete", "error_if_incomplete"])
        days = self.random.choice([{}, {"trial_period_days": 10}])
        self.sandbox.subscribe(
            self.customer, self.random.choice(self.prices), payment_behavior=behavior, **days
        )

    def change(self) -> None:
        self.sandbox.change(
            self.some(), self.random.choice(self.prices),
            proration_behavior=self.random.choice(["create_prorations", "always_invoice", "none"]),
            payment_behavior=self.random.choice(
                ["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"]
            ),
        )  # fmt: skip

    def cancel(self) -> None:
        if self.random.random() < 0.3:
            self.sandbox.api.subscriptions.cancel(self.some(), params={"prorate": True, "invoice_now": True})
        else:
            self.update(cancel_at_period_end=True)

    def undo(self) -> None:
        self.update(cancel_at_period_end=False)

    def advance(self) -> None:
        self.sandbox.advance(days=self.random.choice([0.04, 1, 4, 12, 33, 200]))

    def card(self) -> None:
        card = self.random.choice(CARDS)
        method = self.sandbox.api.payment_methods.attach(card, params={"customer": self.customer})
        self.sandbox.api.customers.update(
            self.customer, params={"invoice_settings": {"default_payment_method": method.id}}
        )

    def fail(self) -> None:
        self.sandbox.control(f"customers/{self.customer}/fail_next", payments=self.random.randint(1, 5))

    def pay(self) -> None:
        for invoice in self.sandbox.api.invoices.list(params={"status": "open"}).data:
            self.sandbox.api.invoices.pay(str(invoice.id))

    def refund(self) -> None:
        charges = self.sandbox.api.charges.list().data
        if charges:
            self.sandbox.api.refunds.create(params={"charge": charges[0].id, "amount": 100})

    def schedule(self) -> None:
        schedule = self.sandbox.api.subscription_schedules.create(params={"from_subscription": self.some()})
        now = schedule.phases[0]
        phases: Any = [
            {
                "items": [{"price": str(item.price)} for item in now["items"]],
                "start_date": now.start_date,
                "end_date": now.end_date,
            },
            {"items": [{"price": self.random.choice(self.prices)}], "duration": {"interval": "month"}},
        ]
        self.sandbox.api.subscription_schedules.update(schedule.id, params={"phases": phases})

    def release(self) -> None:
        for schedule in self.sandbox.api.subscription_schedules.list().data:
            self.sandbox.api.subscription_schedules.release(schedule.id)

    def checkout(self) -> None:
        price: Any = self.random.choice(self.prices)
        session = self.sandbox.api.checkout.sessions.create(
            params={
                "mode": "subscription",
                "customer": self.customer,
                "line_items": [{"price": price, "quantity": 1}],
                "success_url": "http://localhost/done",
            }
        )
        self.sandbox.control(
            f"checkout/{session.id}/pay", card=self.random.choice(["4242424242424242", "4000000000009995"])
        )

    def preview(self) -> None:
        item = self.sandbox.item(self.some())
        self.sandbox.api.invoices.create_preview(
            params={
                "subscription": str(item.subscription),
                "subscription_details": {
                    "items": [{"id": item.id, "price": self.random.choice(self.prices)}]
                },
            }
        )

    def pause(self) -> None:
        behavior = self.random.choice(["void", "keep_as_draft", "mark_uncollectible"])
        self.update(pause_collection=self.random.choice(["", {"behavior": behavior}]))

    def trial(self) -> None:
        self.update(trial_end=self.random.choice(["now", self.sandbox.now() + 5 * DAY]))


@pytest.mark.parametrize("seed", range(16))
def test_random_life(sandbox: Driver, seed: int) -> None:
    life = Life(sandbox, seed)
    sandbox.subscribe(life.customer, life.prices[1], payment_behavior="allow_incomplete")
    for _ in range(40):
        try:
            life.random.choice(life.moves)()
        except (stripe.InvalidRequestError, stripe.CardError):
            continue
    sandbox.advance(days=40)
    check_books(sandbox)


def check_books(sandbox: Driver) -> None:
    """What invoices say was paid was charged, and every living subscription's period holds the present."""
    charged = sum(
        one.amount for one in sandbox.api.charges.list(params={"limit": 100}).auto_paging_iter() if one.paid
    )
    paid = sum(one.amount_paid for one in sandbox.api.invoices.list(params={"limit": 100}).auto_paging_iter())
    assert charged == paid
    for subscription in sandbox.api.subscriptions.list(
        params={"status": "all", "limit": 100}
    ).auto_paging_iter():
        if subscription.status in {"active", "past_due", "trialing", "unpaid"}:
            item = subscription["items"].data[0]
            assert item.current_period_start <= sandbox.now() < item.current_period_end, subscription.id
    events = sandbox.all_events()
    assert [one["created"] for one in events] == sorted(one["created"] for one in events)
    assert len({one["id"] for one in events}) == len(events)
