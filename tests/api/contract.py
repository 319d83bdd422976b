"""The contract as data: what a client of the endpoints that need no Stripe may rely on.

It is written down here because the page it comes from is not part of the package; `test_contract_page.py`
compares the two where both are at hand. A change here is a change of what clients were promised.
"""

from __future__ import annotations

PREFIX = "/api/"

ENDPOINTS: dict[tuple[str, str], dict[int, set[str]]] = {
    ("GET", "billing/plans"): {},
    ("GET", "billing/subscription"): {404: {"no_subscription"}},
    ("GET", "billing/usage"): {404: {"no_usage"}},
    ("POST", "billing/usage/check"): {403: set()},
    ("GET", "billing/history"): {400: set()},
    ("GET", "billing/usage/history"): {},
}
"""The refusals that are an endpoint's own; 401, 403 and 429 hold wherever somebody must be signed in."""

NEEDS_STRIPE = {
    ("POST", "billing/subscription/checkout"),
    ("POST", "billing/subscription/cancel"),
    ("POST", "billing/subscription/reactivate"),
    ("POST", "billing/webhook/stripe"),
    ("GET", "billing/subscription/preview"),
    ("POST", "billing/subscription/change"),
    ("POST", "billing/subscription/sync"),
    ("POST", "billing/portal"),
    ("GET", "billing/payment-method"),
}
"""On the contract's page and not in the package yet."""

OBJECTS: dict[str, list[str]] = {
    "SubscriptionPlan": [
        "id",
        "name",
        "slug",
        "description",
        "price_cents",
        "price_display",
        "currency",
        "interval",
        "video_limit",
        "transcription_limit_minutes",
        "features",
        "sort_order",
    ],
    "UserSubscription": [
        "id",
        "plan",
        "status",
        "current_period_start",
        "current_period_end",
        "cancel_at_period_end",
        "cancelled_at",
        "trial_end",
        "grace_period_end",
        "pending_plan",
        "pending_plan_effective_at",
        "created_at",
    ],
    "UsageRecord": [
        "billing_period_start",
        "billing_period_end",
        "video_count",
        "video_limit",
        "video_usage_percentage",
        "transcription_seconds",
        "transcription_minutes",
        "transcription_limit_minutes",
        "transcription_usage_percentage",
        "overage",
        "warnings",
        "updated_at",
    ],
    "PaymentTransaction": [
        "id",
        "amount_cents",
        "amount_display",
        "currency",
        "type",
        "status",
        "description",
        "invoice_url",
        "invoice_pdf",
        "created_at",
    ],
}
"""The objects that the contract's page names, with their fields in its order."""

PARTS: dict[str, list[str]] = {
    "BillingError": ["error", "message", "details"],
    "UsageOverage": ["video_count", "transcription_seconds"],
    "UsageWarning": ["threshold", "resource", "reached"],
    "UsageAllowed": ["allowed", "reason", "current_usage"],
    "UsageRefused": ["allowed", "reason", "upgrade_url"],
    "PaymentHistory": ["total", "transactions"],
}
"""The bodies that the page describes in passing."""

NULLABLE: dict[str, set[str]] = {
    "SubscriptionPlan": {"video_limit", "transcription_limit_minutes"},
    "UserSubscription": {
        "cancelled_at",
        "trial_end",
        "grace_period_end",
        "pending_plan",
        "pending_plan_effective_at",
    },
    "UsageRecord": {
        "video_limit",
        "video_usage_percentage",
        "transcription_limit_minutes",
        "transcription_usage_percentage",
        "updated_at",  # null until something is counted in the period
    },
    "PaymentTransaction": {"invoice_url", "invoice_pdf"},
    "BillingError": {"details"},
    "UsageAllowed": {"reason"},
    "UsageRefused": {"upgrade_url"},
}

ENUMS: dict[tuple[str, str], list[str]] = {
    ("SubscriptionPlan", "interval"): ["month", "year"],
    ("UserSubscription", "status"): [
        "active",
        "trialing",
        "past_due",
        "cancelled",
        "incomplete",
        "incomplete_expired",
        "unpaid",
        "paused",
    ],
    ("PaymentTransaction", "type"): [
        "subscription_payment",
        "subscription_refund",
        "overage_charge",
        "proration",
        "dispute",
    ],
    ("PaymentTransaction", "status"): ["pending", "succeeded", "failed", "refunded", "disputed"],
    ("UsageWarning", "resource"): ["video", "transcription"],
}

ACTIONS = ["upload_video", "transcribe_video"]

STATUS_OF_CODE: dict[str, int] = {
    "invalid_request": 400,
    "invalid_plan": 400,
    "not_authenticated": 401,
    "permission_denied": 403,
    "limit_exceeded": 403,
    "no_subscription": 404,
    "no_usage": 404,
    "conflict": 409,
    "payload_too_large": 413,
    "throttled": 429,
}
"""The contract's codes that can occur without Stripe."""

HTTP_STATUS_OF_CODE: dict[str, int] = {
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "unsupported_media_type": 415,
    "server_error": 500,
}
"""HTTP's own refusals, in the same body; the page does not list them."""
