"""A person in front of the example site, beside a sandbox in its own process; the clocks of both move together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import time_machine
from django.core.management import call_command
from django.test import Client

from django_videoq_billing.webhooks import inbox
from tests.sandbox.driver import Driver
from tests.signing import signature_of

SECRET = "whsec_for_the_example"


class Shop:
    def __init__(self, sandbox: Driver, traveller: time_machine.Traveller, client: Client) -> None:
        self.sandbox, self.traveller, self.client = sandbox, traveller, client
        call_command("seed_plans", verbosity=0)
        call_command("sync_stripe_plans", verbosity=0)
        sandbox.new_events()

    def page(self, path: str) -> str:
        """What the person sees at the end of all redirects within the site."""
        return self._shown(self.client.get(path, follow=True))

    def press(self, path: str) -> str:
        """Press the button that posts there."""
        return self._shown(self.client.post(path, follow=True))

    def choose(self, slug: str) -> str:
        """Press "Choose" and return the id of the checkout page that it leads to."""
        answer = self.client.post(f"/plans/{slug}/choose/")
        assert answer.status_code == 303
        address = urlsplit(answer["Location"])
        assert f"{address.scheme}://{address.netloc}" == self.sandbox.url
        assert self.sandbox.http.get(address.path).status_code == 200
        return address.path.rpartition("/")[2]

    def buy(self, slug: str, card: str = "4242424242424242") -> str:
        """Pay on the checkout page and return what is seen after it. No webhook has come yet."""
        paid = self.sandbox.control(f"checkout/{self.choose(slug)}/pay", card=card)
        address = urlsplit(paid["success_url"])
        return self.page(f"{address.path}?{address.query}")

    def refuse_next(self, payments: int) -> None:
        """Let the person's bank refuse the next payments."""
        [customer] = self.sandbox.api.customers.list().data
        self.sandbox.control(f"customers/{customer.id}/fail_next", payments=payments)

    def use_card(self, name: str) -> None:
        """Let the next payments be made with another of Stripe's test cards."""
        [customer] = self.sandbox.api.customers.list().data
        method = self.sandbox.api.payment_methods.attach(name, params={"customer": customer.id})
        defaults: Any = {"invoice_settings": {"default_payment_method": method.id}}
        self.sandbox.api.customers.update(customer.id, params=defaults)
        [subscription] = self.sandbox.api.subscriptions.list().data
        self.sandbox.api.subscriptions.update(subscription.id, params={"default_payment_method": method.id})

    def settle(self) -> None:
        """Deliver the events of the sandbox, signed, as it would itself."""
        for event in self.sandbox.new_events():
            body = json.dumps(event)
            signature = signature_of(body, SECRET)
            answer = self.client.post(
                "/api/billing/webhook/stripe",
                body,
                content_type="application/json",
                headers={"Stripe-Signature": signature},
            )
            assert answer.status_code == 200
        inbox.process_due()

    def advance(self, *, days: float = 0, hours: float = 0) -> None:
        self.sandbox.advance(days=days, seconds=int(hours * 3600))
        self.traveller.move_to(datetime.fromtimestamp(self.sandbox.now(), tz=UTC))
        self.settle()

    def _shown(self, answer: Any) -> str:
        assert answer.status_code == 200
        text: str = answer.content.decode()
        return text
