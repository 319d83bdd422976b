"""One payment attempt: what the card will say, the payment intent's step, the charge, and their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django_videoq_billing.sandbox.box import Sandbox
from django_videoq_billing.sandbox.cards import Decline, TestCard, by_number
from django_videoq_billing.sandbox.config import DAY
from django_videoq_billing.sandbox.errors import StripeError
from django_videoq_billing.sandbox.objects import payments
from django_videoq_billing.sandbox.render import render
from django_videoq_billing.sandbox.store import Record


@dataclass(frozen=True)
class Outcome:
    kind: Literal["succeeds", "processing", "declined", "requires_action", "no_method"]
    decline: Decline | None = None

    @property
    def goes_through(self) -> bool:
        """The customer has done their part; a debit that is `processing` may still fail days later."""
        return self.kind in {"succeeds", "processing"}

    def error(self, of: str = "subscription", **extra: Record) -> StripeError:
        """The 402 that an API request gets for this outcome; `of` is `subscription` or `invoice`."""
        if self.decline is not None:
            return StripeError.card(
                self.decline.message, code=self.decline.code, decline_code=self.decline.decline_code, **extra
            )
        return StripeError.card(
            f"Payment for this {of} requires additional user action before it can be completed successfully. Payment "
            "can be completed using the PaymentIntent associated with it.",
            code=f"{of}_payment_intent_requires_action",
            decline_code=None,
            **extra,
        )


SUCCEEDS = Outcome("succeeds")
PROCESSING = Outcome("processing")
REQUIRES_ACTION = Outcome("requires_action")
NO_METHOD = Outcome("no_method")


def card_of(method: Record) -> TestCard:
    card = by_number(method["_number"])
    if card is None:
        raise LookupError(f"{method['id']} has no card")
    return card


def foresee(customer: Record | None, method: Record | None, *, authenticated: bool = False) -> Outcome:
    """What an attempt would end in; changes nothing."""
    if method is None:
        return NO_METHOD
    if card_of(method).settles_after_days:
        return PROCESSING
    if customer is not None and customer["_fail_next"]:
        return Outcome("declined", Decline(customer["_fail_next"]["reason"]))
    card = card_of(method)
    needs_step = card.authentication == "always" or (
        card.authentication == "until_set_up" and not method["_set_up"]
    )
    if needs_step and not authenticated:
        return REQUIRES_ACTION
    return Outcome("declined", Decline(card.decline)) if card.decline else SUCCEEDS


def attempt(box: Sandbox, intent: Record, method: Record | None, *, authenticated: bool = False) -> Outcome:
    """Try to pay an intent: the charge, the intent's new status and their events."""
    customer = box.store.get("customer", intent["customer"])
    outcome = foresee(customer, method, authenticated=authenticated)
    if method is None:
        intent["status"] = "requires_payment_method"
        box.store.save(intent)
        return outcome
    if authenticated:
        method["_set_up"] = True
    if outcome.kind == "processing":
        _start_debit(box, intent, method, customer)
        return outcome
    use_up_failure(customer)
    if outcome.kind == "succeeds":
        _succeed(box, intent, payments.charge(box, intent, method))
    elif outcome.decline is not None:
        _decline(box, intent, method, outcome.decline)
    else:
        _ask_for_action(box, intent, method)
    return outcome


def use_up_failure(customer: Record | None) -> None:
    """One payment less of those that the control API wants to fail."""
    if customer is None or not customer["_fail_next"]:
        return
    left = customer["_fail_next"]["payments"] - 1
    customer["_fail_next"] = {**customer["_fail_next"], "payments": left} if left > 0 else None


def _start_debit(box: Sandbox, intent: Record, method: Record, customer: Record | None) -> None:
    """Ask the bank, and know after days. What the customer's next payment fails with is decided already."""
    account = card_of(method)
    fated = (
        customer["_fail_next"]["reason"]
        if customer is not None and customer["_fail_next"]
        else account.decline
    )
    use_up_failure(customer)
    charge = payments.charge(box, intent, method, status="pending", paid=False)
    intent |= {
        "status": "processing", "latest_charge": charge["id"], "next_action": None, "payment_method": method["id"],
        "last_payment_error": None, "payment_method_types": sorted({*intent["payment_method_types"], method["type"]}),
        "_settles_at": box.now() + account.settles_after_days * DAY, "_fails_with": fated,
    }  # fmt: skip
    box.store.save(charge)
    box.store.save(intent)
    box.emit("charge.pending", charge)
    box.emit("payment_intent.processing", intent)


def settles_at(intent: Record) -> int | None:
    return intent["_settles_at"] if intent["status"] == "processing" else None


def settle(box: Sandbox, intent: Record) -> Outcome:
    """The bank's answer to a debit that was under way."""
    charge = box.store.the("charge", intent["latest_charge"])
    if intent["_fails_with"] is None:
        _succeed(box, intent, charge)
        return SUCCEEDS
    decline = Decline(intent["_fails_with"])
    _fail(box, intent, charge, box.store.the("payment_method", intent["payment_method"]), decline)
    return Outcome("declined", decline)


def _succeed(box: Sandbox, intent: Record, charge: Record) -> None:
    charge |= {"status": "succeeded", "paid": True}
    entry = payments.balance_transaction(
        box, charge, charge["amount"], "charge", payments.card_fee(charge["amount"])
    )
    charge["balance_transaction"] = entry["id"]
    box.store.save(entry)
    box.store.save(charge)
    intent |= {
        "status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"],
        "next_action": None, "payment_method": charge["payment_method"], "last_payment_error": None,
    }  # fmt: skip
    box.store.save(intent)
    box.emit("charge.succeeded", charge)
    box.emit("payment_intent.succeeded", intent)


def _decline(box: Sandbox, intent: Record, method: Record, decline: Decline) -> None:
    _fail(box, intent, payments.charge(box, intent, method), method, decline)


def _fail(box: Sandbox, intent: Record, charge: Record, method: Record, decline: Decline) -> None:
    charge |= {
        "status": "failed", "paid": False, "captured": False, "amount_captured": 0, "failure_code": decline.code,
        "failure_message": decline.message, "outcome": payments.declined(decline.reason),
    }  # fmt: skip
    error = {
        "charge": charge["id"], "code": decline.code, "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message, "payment_method": render(box.store, method), "type": "card_error",
    }  # fmt: skip
    if decline.decline_code is not None:
        error["decline_code"] = decline.decline_code
    intent |= {
        "status": "requires_payment_method", "latest_charge": charge["id"], "next_action": None,
        "payment_method": None, "last_payment_error": error,
    }  # fmt: skip
    box.store.save(charge)
    box.store.save(intent)
    box.emit("charge.failed", charge)
    box.emit("payment_intent.payment_failed", intent)


def _ask_for_action(box: Sandbox, intent: Record, method: Record) -> None:
    url = f"{box.config.url}/3ds/{intent['client_secret']}"
    intent |= {
        "status": "requires_action", "payment_method": method["id"], "last_payment_error": None,
        "next_action": {"redirect_to_url": {"return_url": None, "url": url}, "type": "redirect_to_url"},
    }  # fmt: skip
    box.store.save(intent)
    box.emit("payment_intent.requires_action", intent)


def fail_authentication(box: Sandbox, intent: Record) -> None:
    """The customer could not or would not pass 3-D Secure."""
    message = "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    error = {"code": "payment_intent_authentication_failure", "message": message, "type": "card_error"}
    intent |= {
        "status": "requires_payment_method", "next_action": None, "payment_method": None, "last_payment_error": error,
    }  # fmt: skip
    box.store.save(intent)
    box.emit("payment_intent.payment_failed", intent)


def cancel_intent(box: Sandbox, intent: Record, reason: str | None) -> None:
    if intent["status"] == "processing":
        raise StripeError(
            f"The payment of {intent['id']} is processing and cannot be canceled any more.",
            code="payment_intent_unexpected_state",
        )
    intent |= {
        "status": "canceled", "canceled_at": box.now(), "cancellation_reason": reason, "next_action": None,
    }  # fmt: skip
    box.store.save(intent)
    box.emit("payment_intent.canceled", intent)
