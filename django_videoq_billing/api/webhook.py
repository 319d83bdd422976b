"""Where Stripe delivers its events: https://docs.stripe.com/webhooks"""

from __future__ import annotations

from django.http import HttpRequest, UnreadablePostError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from django_videoq_billing.api.base import BillingView, OutsideTransactions, refusals
from django_videoq_billing.api.schema import documented
from django_videoq_billing.api.stripe_serializers import WebhookReceivedSerializer
from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import MalformedPayload, PayloadTooLarge
from django_videoq_billing.webhooks import inbox, inline


class StripeWebhookView(OutsideTransactions, BillingView):
    """Take an event of Stripe into the inbox: whoever knows the signing secret may, and nobody else."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    @documented(
        "billing_webhook_stripe",
        WebhookReceivedSerializer,
        refusals({400: "`invalid_signature`, `malformed_payload`", 413: "`payload_too_large`"}),
        request={"application/json": {"type": "object", "description": "An event of Stripe."}},
    )
    def post(self, request: Request) -> Response:
        body = _body(request._request)
        event_id = inbox.receive(body, request.headers.get("Stripe-Signature", ""))
        answer = _Acknowledgement({"received": True, "event_id": event_id})
        answer.event_id = event_id
        return answer


class _Acknowledgement(Response):
    """An answer after which the event is handed on: a server closes a response when it has been sent (PEP 3333)."""

    event_id: str | None = None

    def close(self) -> None:
        event_id, self.event_id = self.event_id, None
        if event_id is not None:
            inline.hand_on(event_id)
        super().close()  # the request ends here, and with it the connection to the database


def _body(request: HttpRequest) -> bytes:
    """Return the raw body, of which no more is read than an event may have."""
    limit = get_settings().WEBHOOK_MAX_BYTES
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdecimal() and int(declared) > limit:
        raise PayloadTooLarge.more_than(limit)
    try:
        return request.read(limit + 1)
    except UnreadablePostError:
        raise MalformedPayload.not_an_event() from None
