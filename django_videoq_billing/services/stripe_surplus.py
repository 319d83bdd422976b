"""A second subscription of one customer: ended at Stripe, and what was paid for it given back.

A customer needs one; a second charges twice for one set of limits. Every step may be repeated, by another worker, too,
and stopped anywhere: a subscription is marked first, and one that is marked keeps no money, whenever it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django_videoq_billing.services.stripe_payloads import invoice_state
from django_videoq_billing.services.stripe_service import StripeService
from django_videoq_billing.types import StripeSubscriptionState

logger = logging.getLogger("django_videoq_billing")

MARK = "videoq_surplus"  # in the subscription's metadata, where only the account's owner can write


def is_marked(state: StripeSubscriptionState) -> bool:
    return MARK in state.metadata


def end(state: StripeSubscriptionState, user_id: str) -> None:
    """Cancel at once and refund what the running period cost. Raises StripeUnavailable or StripeFailure."""
    if not is_marked(state):
        StripeService.update("subscriptions", state.stripe_id, {"metadata": {MARK: "true"}})
    if state.is_alive:
        StripeService.cancel_subscription(state.stripe_id, at_period_end=False)
    amount = sum(_give_back(charge) for charge in _paid_charges(state))
    if state.is_alive or amount:
        extra = {"user_id": user_id, "refunded": amount, "currency": state.price.currency}
        logger.error("surplus_subscription_ended", extra=extra)


def _paid_charges(state: StripeSubscriptionState) -> Iterator[dict[str, Any]]:
    """Yield what was charged in the running period; earlier ones are for a person to judge."""
    wanted = {
        "subscription": state.stripe_id,
        "created": {"gte": int(state.period.start.timestamp())},
        "expand": ["data.payments"],
    }
    for invoice in StripeService.each("invoices", wanted):
        for intent_id in invoice_state(invoice).payment_intent_ids:
            yield from StripeService.list_charges(intent_id)


def _give_back(charge: dict[str, Any]) -> int:
    """Refund what is left of a charge and return how much; a disputed one is the bank's to decide."""
    left = int(charge["amount_captured"] - charge["amount_refunded"])
    if charge["status"] != "succeeded" or charge["disputed"] or not left:
        return 0
    params = {"charge": charge["id"], "reason": "duplicate"}
    return int(StripeService.create("refunds", params, after=charge["amount_refunded"])["amount"])
