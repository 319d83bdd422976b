"""A site whose plans are for sale at a local Stripe, with one user who has just signed up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from rest_framework.test import APIClient

from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from tests.api.clients import URLS, client_of
from tests.factories import make_plan, make_user

if TYPE_CHECKING:
    from tests.sandbox.driver import Driver  # which needs the [sandbox] extra

KEY = "sk_test_for_tests"
SECRET = "whsec_for_the_tests"
DECLINED_LATER = "4000000000000341"


def settings_for(address: str, **others: Any) -> dict[str, Any]:
    return {
        "UPGRADE_URL": "/plans/",
        "THROTTLE_RATES": {"write": None, "read": None},
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": address,
        "STRIPE_MAX_NETWORK_RETRIES": 0,
        **others,
    }


class Shop:
    def __init__(self, stripe: Driver) -> None:
        self.stripe = stripe
        self.standard = self.for_sale("standard", 1200, video_limit=50)
        self.premium = self.for_sale("premium", 4900, video_limit=None)
        self.user = make_user()
        self.client = client_of(self.user)
        self.client.get(URLS["billing/subscription"])  # a first look: now the user is on the default plan

    def for_sale(self, slug: str, price_cents: int, **fields: Any) -> SubscriptionPlan:
        price = self.stripe.price(price_cents)
        values = {"name": slug.title(), "price_cents": price_cents, "stripe_price_id": price.id, **fields}
        return make_plan(slug=slug, **values)

    @property
    def row(self) -> UserSubscription:
        return UserSubscription.objects.select_related("plan", "pending_plan").get(user=self.user)

    @property
    def stripe_ids(self) -> tuple[str, str]:
        """The customer and the subscription, as Stripe calls them."""
        return str(self.row.stripe_customer_id), str(self.row.stripe_subscription_id)

    def post(self, path: str, client: APIClient | None = None, **body: Any) -> Any:
        return (client or self.client).post(URLS[f"billing/{path}"], body)

    def preview(self, plan_id: int) -> Any:
        return self.client.get(URLS["billing/subscription/preview"], {"plan_id": plan_id})

    def checkout(self, plan: SubscriptionPlan, **urls: Any) -> Any:
        return self.post("subscription/checkout", plan_id=plan.pk, **urls)

    def change(self, plan: SubscriptionPlan) -> Any:
        return self.post("subscription/change", plan_id=plan.pk)

    def session(self, session_id: str) -> Any:
        """The checkout session, as Stripe has it."""
        return self.stripe.api.checkout.sessions.retrieve(session_id)

    def pay(self, session_id: str, card: str = "4242424242424242") -> None:
        self.stripe.control(f"checkout/{session_id}/pay", card=card)

    def use_card(self, token: str) -> None:
        """Let the next payments come from this test card."""
        customer, subscription = self.stripe_ids
        method = self.stripe.api.payment_methods.attach(token, params={"customer": customer})
        self.stripe.api.subscriptions.update(subscription, params={"default_payment_method": method.id})

    def subscribe(self, plan: SubscriptionPlan) -> str:
        """Check out, pay, and come back to the success page; return the session's id."""
        session_id: str = self.checkout(plan).json()["session_id"]
        self.pay(session_id)
        assert self.post("subscription/sync", session_id=session_id).status_code == 200
        assert self.row.plan == plan
        return session_id


@contextmanager
def answering(status: int, body: str, **headers: str) -> Iterator[str]:
    """The address of a server that gives every request this one answer."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the names that http.server calls)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its own name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
