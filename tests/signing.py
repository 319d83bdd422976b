"""Signatures as Stripe makes them: https://docs.stripe.com/webhooks/signature. The SDK's own came with 15.1 only."""

from __future__ import annotations

import hashlib
import hmac
import time


def signature_of(body: str | bytes, secret: str, at: float | None = None) -> str:
    raw = body.encode() if isinstance(body, str) else body
    moment = int(time.time() if at is None else at)
    return f"t={moment},v1={hmac.new(secret.encode(), b'%d.' % moment + raw, hashlib.sha256).hexdigest()}"
