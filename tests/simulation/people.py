"""What a user does with the subscription, at random, by the state that it has at Stripe."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import stripe
from django.contrib.auth import get_user_model

from django_videoq_billing.exceptions import (
    BillingError,
    StripeAuthenticationRequired,
    StripeUnavailable,
)
from django_videoq_billing.models import EmailPreference, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from tests.simulation.account import Account, Json, pending_of, price_of
from tests.simulation.books import Books

CARDS = {
    "4242424242424242": 60,
    "4000000000000002": 6,  # declined
    "4000000000009995": 4,  # insufficient funds
    "4000000000000341": 10,  # is saved in a trial, and fails afterwards
    "4000002500003155": 6,  # 3-D Secure once
    "4000002760003184": 6,  # 3-D Secure each time: renewals need the cardholder
    "4000000000000259": 2,  # succeeds, and is disputed
}
PAGES = ("https://testserver/ok", "https://testserver/no")


class Person:
    def __init__(self, number: int, account: Account, books: Books) -> None:
        self.account, self.books = account, books
        self.user: Any = get_user_model().objects.create(
            username=f"person{number}", email=f"person{number}@example.com"
        )
        if number % 3 == 0:
            EmailPreference.objects.create(user=self.user, language="ja")

    @property
    def pk(self) -> int:
        return int(self.user.pk)

    @property
    def row(self) -> UserSubscription:
        return UserSubscription.objects.select_related("plan", "pending_plan").get(user=self.user)

    @property
    def customer(self) -> str | None:
        rows = UserSubscription.objects.filter(user=self.user)
        return rows.values_list("stripe_customer_id", flat=True).first()

    def act(self, dice: random.Random) -> None:
        living = self.account.living(self.customer)
        if living is None:
            if dice.random() < 0.35:
                self._subscribe(dice)
        elif living["status"] in ("past_due", "unpaid"):
            self._owe(living, dice)
        else:
            self._change(living, dice)

    def _attempt(self, move: str, call: Callable[[], Any]) -> Any:
        """The answer, or None where it was refused: a user is refused a good deal."""
        self.books.happened[move] += 1
        try:
            return call()
        except BillingError as error:
            self.books.refused[f"{move}: {type(error).__name__}"] += 1
            if isinstance(error, StripeUnavailable):
                self.books.unsure[self.pk] += 1
            if isinstance(error, StripeAuthenticationRequired):
                return error
        return None

    def _subscribe(self, dice: random.Random) -> None:
        plans = SubscriptionPlan.objects.exclude(price_cents=0).order_by("sort_order")
        plan = dice.choices(list(plans), [5, 3, 2, 1])[0]
        session = self._attempt("checkout", lambda: start_checkout(self.user, plan, *PAGES))
        if session is None or dice.random() < 0.1:
            return  # the page is left open
        card = dice.choices(list(CARDS), list(CARDS.values()))[0]
        how = {"card": card, "authenticate": dice.random() < 0.8}
        paid = self.account.sandbox.control(f"checkout/{session.id}/pay", **how)
        self.books.happened[f"checkout {paid['outcome']}"] += 1

    def _owe(self, living: Json, dice: random.Random) -> None:
        """A renewal was not paid: most people mend it sooner or later, some never do."""
        chance = dice.random()
        if chance < 0.3:
            self._new_card(living, "pm_card_visa")
            self._pay_what_is_open(living)
        elif chance < 0.35:
            self._attempt("cancel", lambda: plan_changes.cancel(self.user))
        elif chance < 0.4:
            self._to_another_plan(living, dice)

    def _change(self, living: Json, dice: random.Random) -> None:
        ends = living["cancel_at_period_end"]
        moves: list[tuple[Callable[[], Any], int]] = [
            (lambda: self._to_another_plan(living, dice), 22),
            (lambda: self._attempt("cancel", lambda: plan_changes.cancel(self.user)), 0 if ends else 8),
            (
                lambda: self._attempt("reactivate", lambda: plan_changes.reactivate(self.user)),
                30 if ends else 1,
            ),
            (lambda: self._change_of_mind(), 25 if ends or pending_of(living) else 0),
            (lambda: self._next_payments_fail(dice), 10),
            (lambda: self._new_card(living, dice.choice(["pm_card_visa", "pm_card_chargeCustomerFail"])), 6),
            (lambda: self._staff_gives_back(dice), 5),
            (lambda: self._dispute(dice), 2),
            (lambda: None, 20),
        ]
        dice.choices([move for move, _ in moves], [weight for _, weight in moves])[0]()

    def _to_another_plan(self, living: Json, dice: random.Random) -> None:
        price, pending = price_of(living)["id"], pending_of(living)
        not_these = [price, *([pending[0]] if pending else [])]
        plans = SubscriptionPlan.objects.exclude(stripe_price_id__in=not_these).order_by("sort_order")
        plan = dice.choice(list(plans))
        answer = self._attempt("change plan", lambda: plan_changes.change(self.user, plan))
        if isinstance(answer, StripeAuthenticationRequired):
            page = (answer.details or {}).get("payment_url")
            if page and dice.random() < 0.6:
                self._confirm(str(page), dice)
        elif answer is not None and answer.pending_plan_id == plan.pk:
            self.books.accepted[self.pk, "downgrade_scheduled"] += 1
        elif answer is None and pending:
            self.books.unsure[self.pk] += 1  # it was taken back for a moment, and a worker may have seen that

    def _change_of_mind(self) -> None:
        row = self.row
        self._attempt("change of mind", lambda: plan_changes.change(self.user, row.plan))

    def _confirm(self, page: str, dice: random.Random) -> None:
        """What a person does on the invoice's page, and on the bank's page that follows."""
        http = self.account.sandbox.http
        card = {"number": "4000002760003184", "expiry": "12 / 34", "cvc": "123", "name": "Ada"}
        step = http.post(page, data=card)
        if "location" in step.headers:
            answer = "complete" if dice.random() < 0.8 else "fail"
            http.post(step.headers["location"], data={"answer": answer})
            self.books.happened[f"3-D Secure {answer}"] += 1

    def _next_payments_fail(self, dice: random.Random) -> None:
        self.books.happened["payments will fail"] += 1
        how = {"payments": dice.choice([1, 2, 9]), "reason": "insufficient_funds"}
        self.account.sandbox.control(f"customers/{self.customer}/fail_next", **how)

    def _new_card(self, living: Json, name: str) -> None:
        """What Stripe's portal does."""
        self.books.happened["new card"] += 1
        api, customer = self.account.api, str(self.customer)
        with suppress(stripe.CardError, stripe.APIError):
            card = api.payment_methods.attach(name, params={"customer": customer}).id
            if name == "pm_card_visa":
                self.account.sandbox.control(f"customers/{customer}/fail_next", payments=0)
            api.customers.update(customer, params={"invoice_settings": {"default_payment_method": card}})
            api.subscriptions.update(living["id"], params={"default_payment_method": card})

    def _pay_what_is_open(self, living: Json) -> None:
        for invoice in self.account.each("invoices", subscription=living["id"], status="open"):
            self.books.happened["open invoice paid"] += 1
            with suppress(stripe.CardError, stripe.APIError, stripe.InvalidRequestError):
                self.account.api.invoices.pay(invoice["id"])

    def _staff_gives_back(self, dice: random.Random) -> None:
        for charge in self.account.each("charges", customer=self.customer):
            if charge["status"] == "succeeded" and not charge["refunded"] and not charge["disputed"]:
                left = charge["amount_captured"] - charge["amount_refunded"]
                amount = left if dice.random() < 0.5 else max(1, left // 3)
                with suppress(stripe.APIError):
                    refund = self.account.api.refunds.create({"charge": charge["id"], "amount": amount})
                    self.books.happened["refund"] += 1
                    if dice.random() < 0.15:
                        self.account.sandbox.control(f"refunds/{refund.id}/fail")
                        self.books.happened["refund failed at the bank"] += 1
                return

    def _dispute(self, dice: random.Random) -> None:
        for charge in self.account.each("charges", customer=self.customer):
            if charge["status"] == "succeeded" and not charge["refunded"] and not charge["disputed"]:
                inquiry = dice.random() < 0.3
                self.account.sandbox.control("disputes", charge=charge["id"], inquiry=inquiry)
                self.books.happened["inquiry" if inquiry else "dispute"] += 1
                return


def close_some_disputes(account: Account, books: Books, dice: random.Random) -> None:
    """Banks decide after a while."""
    for dispute in account.each("disputes"):
        if dispute["status"] in ("needs_response", "under_review") and dice.random() < 0.1:
            account.sandbox.control(f"disputes/{dispute['id']}/close", won=dice.random() < 0.5)
            books.happened["dispute closed"] += 1
