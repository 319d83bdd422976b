"""Part f: an event of Stripe from the request to the 200, here, in dj-stripe's view, and at the least."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import stripe
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from djstripe import signals
from djstripe.models import Event, WebhookEndpoint, WebhookEventTrigger

from benchmarks import calls, settings
from benchmarks.floor import SECRET
from benchmarks.measuring import SETTLING_CALLS, Contender, Effort
from benchmarks.report import Report
from tests.sandbox.driver import Driver

Events = list[dict[str, Any]]
CALLS = 5


class Account(Driver):
    """The local Stripe, with the key that dj-stripe uses."""

    def client(self, key: str = "", **options: Any) -> stripe.StripeClient:
        return super().client(settings.STRIPE_TEST_SECRET_KEY, **options)


def measure(report: Report, effort: Effort, rng: random.Random, say: Callable[[str], None]) -> None:
    say("webhook receipts")
    leave_djstripe_alone()
    events = make_events((effort.rounds + 2) * (CALLS + SETTLING_CALLS))
    endpoint = WebhookEndpoint.objects.create(
        id="we_benchmarks", livemode=False, secret=SECRET, url="https://testserver/", enabled_events=["*"]
    )
    inbox = Inbox(events)
    contenders = [
        inbox.contender("receipt.ours", "/ours/billing/webhook/stripe", our_settings),
        inbox.contender("receipt.djstripe", f"/djstripe/webhook/{endpoint.djstripe_uuid}/"),
        inbox.contender("receipt.floor", "/floor"),
    ]
    fixed = replace(effort, most_calls=CALLS, least_calls=CALLS)
    calls.measure_group(report, contenders, fixed, rng)
    report.facts |= {"receipt_events": len(events)}
    for name, answers in inbox.answers.items():
        report.facts[f"{name}.failed"] = sum(status != 200 for status in answers)


class Inbox:
    """Delivers the same events in the same order to every endpoint."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.handler = BaseHandler()
        self.handler.load_middleware()
        self.requests = RequestFactory()
        self.answers: dict[str, list[int]] = {}

    def contender(
        self, name: str, path: str, around: Callable[[], AbstractContextManager[Any]] | None = None
    ) -> Contender:
        to_come = iter(self.events)
        answers = self.answers[name] = []
        return Contender(
            name,
            lambda request: self.handler.get_response(request).status_code,
            lambda: self._request(path, to_come),
            clean_up=answers.extend,
            around=around or override_settings,
        )

    def _request(self, path: str, to_come: Iterator[dict[str, Any]]) -> HttpRequest:
        body = json.dumps(next(to_come))
        signature = stripe.WebhookSignature.generate_signature_header(body, SECRET)
        return self.requests.post(
            path,
            body,
            content_type="application/json; charset=utf-8",
            headers={"stripe-signature": signature},
        )


def our_settings() -> AbstractContextManager[Any]:
    """Receipt alone: the worker that processes the events is another process in production."""
    return override_settings(
        VIDEOQ_BILLING={
            "STRIPE_SECRET_KEY": settings.STRIPE_TEST_SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": settings.STRIPE_API_HOST,
            "WEBHOOK_PROCESSING": "worker",
        }
    )


def leave_djstripe_alone() -> None:
    """Our app also takes the events that arrive at dj-stripe's view; that time is not dj-stripe's."""
    bridges = [(signal, Event, name) for name, signal in signals.WEBHOOK_SIGNALS.items()]
    bridges.append((signals.webhook_processing_error, WebhookEventTrigger, "failed"))
    for signal, sender, name in bridges:
        if not signal.disconnect(sender=sender, dispatch_uid=f"videoq_billing.{name}"):
            raise RuntimeError(f"Our receiver of {name} was not found, and would count as dj-stripe's work.")


def make_events(count: int) -> Events:
    """What happens when people subscribe and pay, one after the other."""
    account = Account(settings.STRIPE_API_HOST)
    try:
        price = account.price()
        events: Events = []
        while len(events) < count:
            for _ in range(10):
                account.subscribe(account.customer().id, price.id)
            events += account.new_events()
        return events[:count]
    finally:
        account.http.close()
        account.recorder.close()  # type: ignore[no-untyped-call]
