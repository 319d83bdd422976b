"""The contract as data: what a client of the endpoints may rely on.

It is written down here because the page it comes from is not part of the package; `test_contract_page.py`
compares the two where both are at hand. A change here is a change of what clients were promised.
"""

from __future__ import annotations

PREFIX = "/api/"

ENDPOINTS: dict[tuple[str, str], dict[int, set[str]]] = {
    ("GET", "billing/plans"): {},
    ("GET", "billing/subscription"): {404: {"no_subscription"}},
    ("POST", "billing/subscription/checkout"): {
        400: {"invalid_plan", "already_on_plan", "invalid_redirect_url"},
        409: {"subscription_exists"},
    },
    ("POST", "billing/subscription/cancel"): {403: set(), 404: set()},
    ("POST", "billing/subscription/reactivate"): {400: {"not_scheduled_for_cancellation"}, 404: set()},
    ("GET", "billing/usage"): {404: {"no_usage"}},
    ("POST", "billing/usage/check"): {403: set()},
    ("GET", "billing/history"): {400: set()},
    ("POST", "billing/webhook/stripe"): {400: {"invalid_signature", "malformed_payload"}},
    ("GET", "billing/subscription/preview"): {},
    ("POST", "billing/subscription/change"): {},
    ("POST", "billing/subscription/sync"): {},
    ("POST", "billing/portal"): {},
    ("GET", "billing/payment-method"): {},
    ("GET", "billing/usage/history"): {},
}
"""The refusals that are an endpoint's own; 401, 403 and 429 hold wherever somebody must be signed in."""

HEALTH = ("GET", "billing/health")
"""For operators, not for clients: the page does not promise it."""

WEBHOOK = ("POST", "billing/webhook/stripe")
ASK_STRIPE = [
    ("POST", "billing/subscription/checkout"),
    ("POST", "billing/subscription/cancel"),
    ("POST", "billing/subscription/reactivate"),
    ("GET", "billing/subscription/preview"),
    ("POST", "billing/subscription/change"),
    ("POST", "billing/subscription/sync"),
    ("POST", "billing/portal"),
]
"""Those that cannot answer without Stripe."""

LOCAL = [endpoint for endpoint in ENDPOINTS if endpoint not in (*ASK_STRIPE, WEBHOOK)]
"""Those that answer from local rows alone."""

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
    "CheckoutSession": ["checkout_url", "session_id"],
    "PortalSession": ["portal_url"],
    "PaymentMethod": ["brand", "last4", "exp_month", "exp_year"],
    "WebhookReceived": ["received", "event_id"],
    "ChangePreview": [
        "plan",
        "immediate",
        "effective_at",
        "currency",
        "amount_due_cents",
        "amount_due_display",
        "credit_cents",
        "lines",
        "exceeded_limits",
    ],
    "ChangeLine": ["description", "amount_cents"],
    "ExceededLimit": ["resource", "limit"],
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
    "PaymentMethod": {"brand", "last4", "exp_month", "exp_year"},
    "ChangePreview": {"effective_at"},
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
    ("ExceededLimit", "resource"): ["video", "transcription"],
}

ACTIONS = ["upload_video", "transcribe_video"]

TAKES: dict[str, dict[str, bool]] = {
    "Checkout": {"plan_id": True, "success_url": False, "cancel_url": False},
    "Cancel": {"immediate": False},
    "PlanChoice": {"plan_id": True},
    "Sync": {"session_id": False},
    "Portal": {"return_url": False},
}
"""What the endpoints that lead to Stripe take, and whether it must be there."""

STATUS_OF_CODE: dict[str, int] = {
    "invalid_request": 400,
    "invalid_plan": 400,
    "already_on_plan": 400,
    "invalid_redirect_url": 400,
    "not_scheduled_for_cancellation": 400,
    "invalid_signature": 400,
    "malformed_payload": 400,
    "not_authenticated": 401,
    "permission_denied": 403,
    "limit_exceeded": 403,
    "no_subscription": 404,
    "no_usage": 404,
    "subscription_exists": 409,
    "conflict": 409,
    "payload_too_large": 413,
    "throttled": 429,
    "stripe_error": 502,
    "stripe_unavailable": 503,
}
"""Every code of the contract."""

DECORATED_STATUS_OF_CODE: dict[str, int] = {"usage_unavailable": 503}
"""Codes of decorated views alone; no endpoint of the contract answers them."""

HTTP_STATUS_OF_CODE: dict[str, int] = {
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "unsupported_media_type": 415,
    "server_error": 500,
}
"""HTTP's own refusals, in the same body; the page does not list them."""
