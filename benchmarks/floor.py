"""The least that a webhook endpoint can do and still lose nothing: verify the signature, insert, answer 200."""

from __future__ import annotations

import json

import stripe
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from django_videoq_billing.models import WebhookEvent

SECRET = "whsec_benchmarks"
TOLERANCE = 300
PREFIX = "floor_"


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    body = request.body.decode()
    stripe.WebhookSignature.verify_header(body, request.headers["Stripe-Signature"], SECRET, TOLERANCE)
    event = json.loads(body)
    now = timezone.now()
    # Our own view puts the same event into the same table, where ids are unique.
    stored_id = PREFIX + event["id"]
    WebhookEvent.objects.create(
        stripe_event_id=stored_id, type=event["type"], payload=event, next_attempt_at=now, created_at=now
    )
    return HttpResponse(status=200)
