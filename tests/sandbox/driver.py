"""A sandbox in its own process, the real SDK pointed at it, and a receiver for its webhooks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe
from stripe._http_client import RequestsClient

from django_videoq_billing.testing.process import SandboxProcess
from django_videoq_billing.testing.process import free_port as free_port

KEY = "sk_test_forthetestsofthesandbox00"
START = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400


class RecordingClient(RequestsClient):
    """The SDK's own HTTP client, keeping what it received."""

    def __init__(self) -> None:
        super().__init__(timeout=10)
        self.seen: list[tuple[str, str, int, str]] = []

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        body, status, answer_headers = super().request_with_retries(
            method, url, headers, post_data, *args, **kwargs
        )
        self.seen.append((method.upper(), urlsplit(url).path, status, body))
        return body, status, answer_headers


class Driver:
    """What a test holds: the SDK's client, the control API, and shorthands for the usual objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=30)
        self.recorder = RecordingClient()
        self.stripe = self.client()
        self.api = self.stripe.v1
        self._read = 0

    def client(self, key: str = KEY, **options: Any) -> stripe.StripeClient:
        options = {"max_network_retries": 0, "http_client": self.recorder, **options}
        return stripe.StripeClient(key, base_addresses={"api": self.url}, **options)

    def control(self, path: str, /, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def reset(self) -> None:
        self.control("reset")
        self.recorder.seen.clear()
        self._read = 0

    def advance(self, *, days: float = 0, seconds: int = 0) -> None:
        self.control("clock", advance_seconds=int(days * DAY) + seconds)

    def now(self) -> int:
        return int(self.http.get("/_sandbox/clock").json()["now"])

    def all_events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/_sandbox/objects/event").json()["objects"]
        return found

    def new_events(self) -> list[dict[str, Any]]:
        """Events since the last call, oldest first."""
        found = self.all_events()
        fresh, self._read = found[self._read :], len(found)
        return fresh

    def new_types(self, *, without: tuple[str, ...] = ()) -> list[str]:
        return [
            event["type"] for event in self.new_events() if not event["type"].startswith(without or ("\0",))
        ]

    def price(self, amount: int = 1200, interval: str = "month", **extra: Any) -> stripe.Price:
        product = self.api.products.create(params={"name": f"Plan {amount}"})
        base = {"product": product.id, "currency": "usd", "unit_amount": amount}
        params: Any = {**base, "recurring": {"interval": interval}, **extra}
        return self.api.prices.create(params=params)

    def customer(self, card: str | None = "pm_card_visa", **extra: Any) -> stripe.Customer:
        """A customer with this card as default."""
        params: Any = {"email": "person@example.com", **extra}
        customer = self.api.customers.create(params=params)
        if card is None:
            return customer
        method = self.api.payment_methods.attach(card, params={"customer": customer.id})
        return self.api.customers.update(
            customer.id, params={"invoice_settings": {"default_payment_method": method.id}}
        )

    def subscribe(self, customer: str, price: str, **extra: Any) -> stripe.Subscription:
        params: Any = {"customer": customer, "items": [{"price": price}], **extra}
        return self.api.subscriptions.create(params=params)

    def change(self, subscription: str, price: str, **extra: Any) -> stripe.Subscription:
        params: Any = {"items": [{"id": self.item(subscription).id, "price": price}], **extra}
        return self.api.subscriptions.update(subscription, params=params)

    def item(self, subscription: str) -> stripe.SubscriptionItem:
        found = self.api.subscriptions.retrieve(subscription)
        return found["items"].data[0]  # type: ignore[no-any-return]

    def status(self, subscription: str) -> str:
        return self.api.subscriptions.retrieve(subscription).status


class Receiver:
    """A webhook endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.headers["Stripe-Signature"], body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.requests]

    @property
    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def running(*options: str, kill: bool = False) -> Iterator[Driver]:
    """A sandbox process until the block ends; with `kill` it has no chance to say goodbye."""
    process = SandboxProcess("--api-key", KEY, *options)
    try:
        driver = Driver(process.url)
        yield driver
        driver.http.close()
        driver.recorder.close()
    finally:
        process.stop(kill=kill)


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
