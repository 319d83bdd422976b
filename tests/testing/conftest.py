from __future__ import annotations

from django_videoq_billing.testing.plugin import (
    advance_billing_time,
    assert_quota,
    billing_sandbox,
    deliver_webhooks,
    fail_next_payment,
    run_billing_jobs,
    subscribed_user,
)

__all__ = [
    "advance_billing_time",
    "assert_quota",
    "billing_sandbox",
    "deliver_webhooks",
    "fail_next_payment",
    "run_billing_jobs",
    "subscribed_user",
]
