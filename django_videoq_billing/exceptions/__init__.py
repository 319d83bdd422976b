"""Everything the package refuses, under one root. Each leaf has a `code` that never changes."""

from django_videoq_billing.exceptions.core import (
    AccountInactive,
    BillingError,
    Conflict,
    InvalidPlan,
    InvalidRequest,
    NoSubscription,
    NotAuthenticated,
    NoUsage,
    QuotaExceeded,
)
from django_videoq_billing.exceptions.stripe import (
    AlreadyOnPlan,
    InvalidRedirectUrl,
    InvalidSignature,
    MalformedPayload,
    NotScheduledForCancellation,
    PayloadTooLarge,
    PermissionDenied,
    StripeFailure,
    StripeObjectMissing,
    StripeUnavailable,
    SubscriptionExists,
)

__all__ = [
    "AccountInactive",
    "AlreadyOnPlan",
    "BillingError",
    "Conflict",
    "InvalidPlan",
    "InvalidRedirectUrl",
    "InvalidRequest",
    "InvalidSignature",
    "MalformedPayload",
    "NoSubscription",
    "NoUsage",
    "NotAuthenticated",
    "NotScheduledForCancellation",
    "PayloadTooLarge",
    "PermissionDenied",
    "QuotaExceeded",
    "StripeFailure",
    "StripeObjectMissing",
    "StripeUnavailable",
    "SubscriptionExists",
]
