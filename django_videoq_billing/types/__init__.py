"""Frozen values that every layer may pass around. Nothing here reads a setting, a clock or a database."""

from django_videoq_billing.types.stripe import (
    CheckoutSession,
    StripeCustomer,
    StripeInvoiceState,
    StripePriceState,
    StripeSubscriptionState,
)
from django_videoq_billing.types.usage import (
    MAX_AMOUNT,
    Counters,
    Entitlement,
    EntitlementSource,
    Metric,
    Period,
    Reservation,
    ReservationState,
    StoreLag,
    UsageReport,
    UsageWarning,
    UserId,
    minutes,
    overage,
    percentage,
)

__all__ = [
    "MAX_AMOUNT",
    "CheckoutSession",
    "Counters",
    "Entitlement",
    "EntitlementSource",
    "Metric",
    "Period",
    "Reservation",
    "ReservationState",
    "StoreLag",
    "StripeCustomer",
    "StripeInvoiceState",
    "StripePriceState",
    "StripeSubscriptionState",
    "UsageReport",
    "UsageWarning",
    "UserId",
    "minutes",
    "overage",
    "percentage",
]
