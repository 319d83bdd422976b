"""What Stripe has said, parsed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django_videoq_billing.types.usage import Period


@dataclass(frozen=True, slots=True)
class StripePriceState:
    """A price as Stripe has it; `amount` is None for a price that has no fixed amount."""

    stripe_id: str
    product_id: str
    amount: int | None
    currency: str
    interval: str | None


@dataclass(frozen=True, slots=True)
class StripeSubscriptionState:
    """A subscription as Stripe has it; `waiting_price_id` is changed to once `latest_invoice_id` is paid.

    `ended_because` is "payment_failed", "payment_disputed" or "cancellation_requested", "" while it goes on.
    `failing_since` and `pending_product_id` are not in Stripe's object: a sync asks for them where they are needed.
    """

    stripe_id: str
    customer_id: str
    item_id: str
    price: StripePriceState
    status: str
    period: Period
    cancel_at_period_end: bool
    cancelled_at: datetime | None
    trial_end: datetime | None
    created: datetime
    schedule_id: str | None
    pending_price_id: str | None
    pending_from: datetime | None
    waiting_price_id: str | None
    latest_invoice_id: str | None
    metadata: Mapping[str, str]
    ended_because: str = ""
    failing_since: datetime | None = None
    pending_product_id: str | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it may still charge somebody."""
        return self.status not in ("cancelled", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A customer at Stripe."""

    id: str


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A checkout page at Stripe; `url` is empty once it is closed."""

    id: str
    url: str
    status: str
    customer_id: str
    subscription_id: str | None
    plan_id: str
    price_id: str

    @property
    def is_open(self) -> bool:
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class StripeInvoiceState:
    """An invoice as Stripe has it. Amounts are in the currency's minor unit; `prices` go with their products."""

    stripe_id: str
    customer_id: str
    subscription_id: str | None
    status: str
    billing_reason: str
    amount_due: int
    amount_paid: int
    currency: str
    created: datetime
    paid_at: datetime | None
    description: str
    hosted_invoice_url: str
    invoice_pdf: str
    payment_intent_ids: tuple[str, ...]
    prices: tuple[tuple[str, str | None], ...]
