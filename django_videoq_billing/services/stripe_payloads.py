"""Stripe's JSON, parsed once, into frozen values. A renamed field at Stripe is a change of this file alone.

Shapes: https://docs.stripe.com/api (2025-03-31 moved a subscription's period to its items and an invoice's
subscription under `parent`); the older shapes of replayed events are read as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django_videoq_billing.types import (
    CheckoutSession,
    Period,
    StripeInvoiceState,
    StripePriceState,
    StripeSubscriptionState,
)

Payload = Mapping[str, Any]

_STATUS = {"canceled": "cancelled"}
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # after a backslash that is itself escaped it is mere text


def without_nul(body: bytes) -> bytes:
    """Return JSON without the character that PostgreSQL cannot store."""
    return _NUL.sub(rb"\1", body)


def storable(body: bytes) -> Any:
    """Return the value of JSON as every database takes it: half a character becomes "?".

    Raises ValueError for what is no JSON, and for NaN and Infinity, which Python alone takes for it.
    """
    read = json.loads(without_nul(body))
    return json.loads(json.dumps(read, ensure_ascii=False, allow_nan=False).encode(errors="replace"))


def moment(timestamp: int | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, tz=UTC)


def id_of(reference: str | Payload | None) -> str | None:
    """Return the id of a reference, which Stripe sends bare or expanded."""
    return reference if isinstance(reference, str) or reference is None else str(reference["id"])


def subscription_state(payload: Payload) -> StripeSubscriptionState:
    item = payload["items"]["data"][0]
    start = item.get("current_period_start") or payload["current_period_start"]
    end = item.get("current_period_end") or payload["current_period_end"]
    pending = _pending_phase(payload, end)
    return StripeSubscriptionState(
        stripe_id=payload["id"],
        customer_id=id_of(payload["customer"]) or "",
        item_id=item["id"],
        price=price_state(item["price"]),
        status=str(_STATUS.get(payload["status"], payload["status"])),
        period=Period(_moment(start), _moment(end)),
        cancel_at_period_end=_ends_with_its_period(payload, end),
        cancelled_at=moment(payload.get("canceled_at")),
        trial_end=moment(payload.get("trial_end")),
        created=_moment(payload["created"]),
        schedule_id=id_of(payload.get("schedule")),
        pending_price_id=pending[0] if pending else None,
        pending_from=pending[1] if pending else None,
        waiting_price_id=_waiting_price(payload),
        latest_invoice_id=id_of(payload.get("latest_invoice")),
        metadata=dict(payload.get("metadata") or {}),
        ended_because=(payload.get("cancellation_details") or {}).get("reason") or "",
    )


def _moment(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC)


def _ends_with_its_period(payload: Payload, end: int) -> bool:
    return bool(payload.get("cancel_at_period_end")) or payload.get("cancel_at") == end


def _pending_phase(payload: Payload, period_end: int) -> tuple[str, datetime] | None:
    """Return the price and the start of the phase that follows, where an expanded schedule names one."""
    schedule = payload.get("schedule")
    if not isinstance(schedule, Mapping) or schedule.get("status") != "active":
        return None
    later = [phase for phase in schedule.get("phases", []) if phase["start_date"] >= period_end]
    if not later:
        return None
    price_id = id_of(later[0]["items"][0]["price"])
    return (price_id, _moment(later[0]["start_date"])) if price_id else None


def _waiting_price(payload: Payload) -> str | None:
    """Return the price of a change that waits for its payment."""
    items = (payload.get("pending_update") or {}).get("subscription_items")
    return id_of(items[0]["price"]) if items else None


def price_state(payload: Payload) -> StripePriceState:
    recurring = payload.get("recurring") or {}
    return StripePriceState(
        stripe_id=payload["id"],
        product_id=id_of(payload.get("product")) or "",
        amount=payload.get("unit_amount"),
        currency=payload["currency"].upper(),
        interval=recurring.get("interval"),
    )


def invoice_state(payload: Payload) -> StripeInvoiceState:
    parent = payload.get("parent") or {}
    details = parent.get("subscription_details") or {}
    paid_at = (payload.get("status_transitions") or {}).get("paid_at")
    lines = (payload.get("lines") or {}).get("data", [])
    return StripeInvoiceState(
        stripe_id=payload["id"],
        customer_id=id_of(payload.get("customer")) or "",
        subscription_id=id_of(details.get("subscription") or payload.get("subscription")),
        status=payload["status"],
        billing_reason=payload.get("billing_reason") or "manual",
        amount_due=payload["amount_due"],
        amount_paid=payload["amount_paid"],
        currency=payload["currency"].upper(),
        created=_moment(payload["created"]),
        paid_at=moment(paid_at),
        description=next((line["description"] for line in lines if line.get("description")), ""),
        hosted_invoice_url=payload.get("hosted_invoice_url") or "",
        invoice_pdf=payload.get("invoice_pdf") or "",
        payment_intent_ids=tuple(_payment_intents(payload)),
        prices=tuple(price for price in map(_price_of, lines) if price),
    )


def _payment_intents(payload: Payload) -> list[str]:
    payments = (payload.get("payments") or {}).get("data", [])
    named = [id_of((payment.get("payment") or {}).get("payment_intent")) for payment in payments]
    return [intent for intent in [*named, id_of(payload.get("payment_intent"))] if intent]


def _price_of(line: Payload) -> tuple[str, str | None] | None:
    details = (line.get("pricing") or {}).get("price_details") or {}
    price = details.get("price") or line.get("price")
    product = details.get("product") or (price.get("product") if isinstance(price, Mapping) else None)
    price_id = id_of(price)
    return (price_id, id_of(product)) if price_id else None


def checkout_session(payload: Payload) -> CheckoutSession:
    metadata = payload.get("metadata") or {}
    return CheckoutSession(
        id=payload["id"],
        url=payload.get("url") or "",
        status=payload.get("status") or "",
        customer_id=id_of(payload.get("customer")) or "",
        subscription_id=id_of(payload.get("subscription")),
        plan_id=metadata.get("plan_id", ""),
        price_id=metadata.get("price_id", ""),
    )


@dataclass(frozen=True, slots=True)
class PreviewLine:
    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class PreviewState:
    """The invoice that a change would make; `credit` is what is given back for unused time."""

    currency: str
    amount_due: int
    credit: int
    lines: tuple[PreviewLine, ...]


def preview_state(payload: Payload) -> PreviewState:
    lines = tuple(
        PreviewLine(line.get("description") or "", line["amount"]) for line in payload["lines"]["data"]
    )
    return PreviewState(
        currency=payload["currency"].upper(),
        amount_due=payload["amount_due"],
        credit=-sum(line.amount for line in lines if line.amount < 0),
        lines=lines,
    )
