"""The SDK, wrapped: one client per set of settings, our errors, plain dicts, idempotency keys."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import stripe
from django.conf import settings as django_settings

from django_videoq_billing import instruments
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import (
    StripeAuthenticationRequired,
    StripeFailure,
    StripeObjectMissing,
    StripeUnavailable,
)
from django_videoq_billing.services.stripe_payloads import without_nul
from django_videoq_billing.types import UserId

logger = logging.getLogger("django_videoq_billing")

Params = Mapping[str, Any]
Json = dict[str, Any]

# https://docs.stripe.com/error-codes and, for `error_if_incomplete`, what Stripe answers to it
_ASKS_THE_CARDHOLDER = {"authentication_required", "subscription_payment_intent_requires_action"}
_ID = re.compile(r"\b([a-z]+(?:_[a-z]+)*)_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{10,}(?:_secret_\w+)?")


def _without_ids(record: logging.LogRecord) -> bool:
    """Take the ids out of what the SDK, and the library that it speaks HTTP with, say of their requests."""
    record.msg, record.args = _ID.sub(r"\1_...", record.getMessage()), None
    return True


for _name in ("stripe", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_without_ids)


def live_mode() -> bool:
    """Whether our key moves real money; Stripe marks every object with the same flag."""
    return "_live_" in get_settings().STRIPE_SECRET_KEY


def idempotency_key(move: str, user_id: UserId, params: Params) -> str:
    """Return a key that is the same for the same request of the same user of this site, and for no other.

    Stripe keeps keys for at least 24 hours: https://docs.stripe.com/api/idempotent_requests
    """
    request = json.dumps(
        [django_settings.SECRET_KEY, move, str(user_id), params], sort_keys=True, default=str
    )
    return f"videoq-{move}-{hashlib.sha256(request.encode()).hexdigest()[:40]}"


def once() -> Any:
    """Options for a write that the SDK may repeat on its own when the network fails."""
    return {"idempotency_key": f"videoq-{uuid4()}"}


def client() -> stripe.StripeClient:
    settings = get_settings()
    return _client_for(
        settings.STRIPE_SECRET_KEY,
        settings.STRIPE_API_BASE,
        settings.STRIPE_TIMEOUT_SECONDS,
        settings.STRIPE_MAX_NETWORK_RETRIES,
    )


@cache
def _client_for(key: str, base: str, timeout: int, retries: int) -> stripe.StripeClient:
    """One client, and so one pool of connections, for each set of settings."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        http_client=_TracedRequests(timeout=timeout),
        max_network_retries=retries,
    )


@contextmanager
def sdk_leading_to(base: str) -> Iterator[None]:
    """Have those who use the SDK without a client of their own, dj-stripe for one, speak to this address."""
    before = stripe.api_base, stripe.max_network_retries
    stripe.api_base, stripe.max_network_retries = base, 0
    try:
        yield
    finally:
        stripe.api_base, stripe.max_network_retries = before


class _TracedRequests(stripe.RequestsClient):
    """The SDK's own way over HTTP, with a span for each request, repeated ones too."""

    def request(  # type: ignore[override] # as the SDK itself overrides it
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        path = _ID.sub(r"{\1}", urlsplit(url).path)
        with instruments.span("stripe", method=method.upper(), path=path) as span:
            answer = super().request(method, url, headers, post_data)
            span.set(http_status=answer[1])
        return answer


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours. What Stripe says goes to the log, without any id or secret."""
    try:
        yield
    except stripe.CardError as error:
        decline_code = getattr(error.error, "decline_code", None)
        instruments.count("stripe_failures", kind="declined")
        logger.info("stripe_card_declined", extra={"stripe_code": error.code, "decline_code": decline_code})
        if {decline_code, error.code} & _ASKS_THE_CARDHOLDER:
            raise StripeAuthenticationRequired.not_possible() from None
        raise StripeFailure.declined(decline_code or error.code) from None
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise _unavailable(error) from None
    except stripe.StripeError as error:
        # 409: a request with the same idempotency key is still being answered.
        if error.http_status in (None, 409) or error.http_status >= 500:
            raise _unavailable(error) from None
        missing = error.code == "resource_missing"
        instruments.count("stripe_failures", kind="missing" if missing else "refused")
        extra = {"stripe_code": error.code, "param": getattr(error, "param", None)}
        logger.log(logging.INFO if missing else logging.ERROR, "stripe_refused", extra=extra)
        raise (StripeObjectMissing.gone() if missing else StripeFailure.refused()) from None


def _unavailable(error: stripe.StripeError) -> StripeUnavailable:
    instruments.count("stripe_failures", kind="unavailable")
    logger.warning("stripe_unavailable", extra={"http_status": error.http_status})
    return StripeUnavailable.after(_retry_after(error))


def _retry_after(error: stripe.StripeError) -> int | None:
    seconds = str((error.headers or {}).get("Retry-After", ""))
    return int(seconds) if seconds.isdigit() else None


def plain(answer: Any) -> Json:
    """Return the answer as Stripe wrote it: the SDK's objects are not dicts, and turn some texts into Decimals."""
    return dict(json.loads(without_nul(json.dumps(answer.to_dict(), default=str).encode())))


def each(collection: Any, params: Params) -> Iterator[Json]:
    with stripe_errors():
        for item in collection.list({"limit": 100, **params}).auto_paging_iter():
            yield plain(item)


def given(params: Params) -> Any:
    """Leave out what is not set: Stripe reads an empty value as "clear this field"."""
    return {name: value for name, value in params.items() if value not in (None, "", [], {})}


def verify_signature(payload: bytes, signature: str) -> bool:
    """Whether one of our current secrets signed the raw body, not too long ago."""
    settings = get_settings()
    for secret in settings.webhook_secrets:
        try:
            stripe.WebhookSignature.verify_header(
                payload.decode(), signature, secret, settings.WEBHOOK_TOLERANCE_SECONDS
            )
        except (stripe.SignatureVerificationError, TypeError, ValueError):  # TypeError: not ASCII
            continue
        return True
    return False
