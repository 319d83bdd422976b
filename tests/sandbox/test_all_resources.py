"""One walk through every endpoint and every kind of event; the fixture checks each answer and event against Stripe's shapes.

A new endpoint that the walk leaves out fails the test.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django_videoq_billing import sandbox as package
from django_videoq_billing.sandbox.api.endpoints import ENDPOINTS
from tests.sandbox.driver import DAY, Driver

Json = dict[str, Any]
MONTHLY: Json = {"interval": "month"}
DONE = "http://localhost/done"
SOURCES = Path(str(package.__file__)).parent


class Walk:
    """Requests as they are written in Stripe's reference: method, path, parameters."""

    def __init__(self, sandbox: Driver) -> None:
        self.sandbox = sandbox

    def __call__(self, method: str, path: str, **params: Any) -> Json:
        answer: Any = self.sandbox.stripe.raw_request(method, f"/v1/{path}", **params)
        data: Json = answer.data
        return data

    def post(self, path: str, **params: Any) -> Json:
        return self("post", path, **params)

    def delete(self, path: str) -> Json:
        return self("delete", path)

    def fetch(self, path: str, **params: Any) -> Json:
        return self("get", path, **params)

    def price(self, amount: int = 1200) -> str:
        product = self.post("products", name=f"Plan {amount}")["id"]
        made = self.post("prices", product=product, currency="usd", unit_amount=amount, recurring=MONTHLY)
        return str(made["id"])

    def customer(self, card: str | None = "pm_card_visa") -> str:
        customer = self.post("customers", email="person@example.com")["id"]
        if card is not None:
            method = self.post(f"payment_methods/{card}/attach", customer=customer)["id"]
            self.post(f"customers/{customer}", invoice_settings={"default_payment_method": method})
        return str(customer)

    def subscribe(self, **params: Any) -> Json:
        return self.post(
            "subscriptions", **{"customer": self.customer(), "items": [{"price": self.price()}], **params}
        )


def catalogue(walk: Walk) -> None:
    walk.fetch("account")
    price = walk.price()
    product = walk.fetch(f"prices/{price}")["product"]
    walk.post(f"products/{product}", description="Something", default_price=price)
    walk.post(f"prices/{price}", nickname="Monthly", lookup_key="plan")
    walk.fetch(f"products/{product}/features")
    walk.delete(f"products/{walk.post('products', name='Gone')['id']}")
    for _ in range(2):
        coupon = walk.post("coupons", percent_off=10, duration="once")["id"]
    code = walk.post("promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="TEN")["id"]
    walk.post(f"promotion_codes/{code}", active=False)
    walk.post(f"coupons/{coupon}", name="Ten")
    walk.delete(f"coupons/{walk.post('coupons', percent_off=5, duration='forever')['id']}")


def people(walk: Walk) -> None:
    customer = walk.customer()
    card: Json = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = walk.post("payment_methods", type="card", card=card)["id"]
    walk.post(f"payment_methods/{method}/attach", customer=customer)
    walk.post(f"payment_methods/{method}", metadata={"a": "1"})
    walk.fetch(f"customers/{customer}/payment_methods")
    walk.fetch(f"customers/{customer}/payment_methods/{method}")
    walk.post(f"payment_methods/{method}/detach")
    for answer in ("complete", "fail"):
        asking = walk.post(
            "setup_intents", customer=customer, payment_method="pm_card_authenticationRequired"
        )
        asked = walk.post(f"setup_intents/{asking['id']}/confirm")
        walk.sandbox.http.post(asked["next_action"]["redirect_to_url"]["url"], data={"answer": answer})
    walk.delete(f"customers/{walk.customer(None)}")
    configuration = walk.fetch("billing_portal/configurations")["data"][0]["id"]
    walk.post("billing_portal/sessions", customer=customer, configuration=configuration, return_url=DONE)


def payments(walk: Walk) -> None:
    customer = walk.customer("pm_card_createDispute")
    base: Json = {"amount": 500, "currency": "usd", "customer": customer}
    intent = walk.post("payment_intents", **base)["id"]
    walk.post(f"payment_intents/{intent}", description="Changed")
    walk.post(f"payment_intents/{intent}/confirm", payment_method="pm_card_visa")
    walk.post(f"payment_intents/{walk.post('payment_intents', **base)['id']}/cancel")
    charge = walk.fetch(f"payment_intents/{intent}")["latest_charge"]
    walk.post(f"charges/{charge}", description="Changed")
    refund = walk.post("refunds", charge=charge, amount=100)["id"]
    walk.post(f"refunds/{refund}", metadata={"a": "1"})
    walk.sandbox.control(f"refunds/{refund}/fail")
    for won in (True, False):
        paid = walk.post("payment_intents", **base, confirm=True, payment_method="pm_card_createDispute")
        dispute = walk.fetch("disputes", payment_intent=paid["id"])["data"][0]["id"]
        walk.post(f"disputes/{dispute}", evidence={"customer_name": "Person"})
        if won:
            walk.sandbox.control(f"disputes/{dispute}/close", won=True)
        else:
            walk.post(f"disputes/{dispute}/close")
    for account in ("success", "accountClosed"):
        walk.post("payment_intents", **base, confirm=True, payment_method=f"pm_usBankAccount_{account}")


def subscriptions(walk: Walk) -> None:
    made = walk.subscribe()
    key, customer, item = made["id"], made["customer"], made["items"]["data"][0]["id"]
    walk.fetch(f"customers/{customer}/subscriptions")
    walk.fetch("subscription_items", subscription=key)
    walk.fetch(f"subscription_items/{item}")
    walk.post(f"subscription_items/{item}", quantity=2, proration_behavior="always_invoice")
    extra = walk.post("subscription_items", subscription=key, price=walk.price(300))["id"]
    walk.delete(f"subscription_items/{extra}")
    walk.post(f"subscriptions/{key}", cancel_at_period_end=True)
    walk.post(f"subscriptions/{key}", cancel_at_period_end=False)
    walk.delete(f"subscriptions/{walk.subscribe()['id']}")
    pausing: Json = {"end_behavior": {"missing_payment_method": "pause"}}
    paused = walk.subscribe(customer=walk.customer(None), trial_period_days=7, trial_settings=pausing)
    walk.subscribe(customer=walk.customer("pm_card_chargeCustomerFail"))
    walk.subscribe(customer=walk.customer("pm_card_authenticationRequired"))
    held = walk.subscribe(
        customer=walk.customer("pm_card_authenticationRequiredOnSetup"), trial_period_days=1
    )
    walk.sandbox.advance(days=8)
    method = walk.post("payment_methods/pm_card_visa/attach", customer=paused["customer"])["id"]
    walk.post(f"subscriptions/{paused['id']}", default_payment_method=method)
    walk.post(f"subscriptions/{paused['id']}/resume")
    walk.delete(f"customers/{held['customer']}")
    for outcome in ("applied", "expired"):
        waiting_change(walk, outcome)
    walk.sandbox.advance(days=45)


def schedules(walk: Walk) -> None:
    made = walk.subscribe(items=[{"price": walk.price(), "quantity": 2}])
    key, customer = made["id"], made["customer"]
    phases: list[Json] = [{"items": [{"price": walk.price(900)}], "duration": {"interval": "month"}}]
    for end in ("release", "cancel"):
        schedule = walk.post("subscription_schedules", from_subscription=key)
        now = schedule["phases"][0]
        present: Json = {
            "items": [{"price": now["items"][0]["price"], "quantity": 2}],
            "start_date": now["start_date"], "end_date": now["end_date"],
        }  # fmt: skip
        walk.post(f"subscription_schedules/{schedule['id']}", phases=[present, *phases])
        walk.post(f"subscription_schedules/{schedule['id']}/{end}")
    later: Json = {"customer": customer, "start_date": walk.sandbox.now() + 5 * DAY}
    walk.post("subscription_schedules", **later, phases=phases, end_behavior="cancel")
    walk.sandbox.advance(days=40)


def waiting_change(walk: Walk, outcome: str) -> None:
    made = walk.subscribe()
    method = walk.post("payment_methods/pm_card_authenticationRequired/attach", customer=made["customer"])[
        "id"
    ]
    walk.post(f"customers/{made['customer']}", invoice_settings={"default_payment_method": method})
    walk.post(
        f"subscriptions/{made['id']}", items=[{"id": made["items"]["data"][0]["id"], "price": walk.price(2400)}],
        proration_behavior="always_invoice", payment_behavior="pending_if_incomplete",
    )  # fmt: skip
    if outcome == "applied":
        open_one = walk.fetch("invoices", customer=made["customer"], status="open")["data"][0]["id"]
        card = walk.post("payment_methods/pm_card_visa/attach", customer=made["customer"])["id"]
        walk.post(f"invoices/{open_one}/pay", payment_method=card)
    else:
        walk.sandbox.advance(days=1)


def invoices(walk: Walk) -> None:
    customer = walk.customer()
    made = walk.subscribe(customer=customer)
    walk.post("invoices/create_preview", subscription=made["id"])

    def one_off(*, automatic: bool = False) -> str:
        item = walk.post("invoiceitems", customer=customer, amount=700, currency="usd")["id"]
        walk.fetch(f"invoiceitems/{item}")
        draft = walk.post("invoices", customer=customer, pending_invoice_items_behavior="include")["id"]
        walk.post(f"invoices/{draft}", description="Extra", auto_advance=automatic)
        return str(draft)

    waiting = walk.post("invoiceitems", customer=customer, amount=1, currency="usd")["id"]
    walk.delete(f"invoiceitems/{waiting}")
    for end in ("pay", "void", "mark_uncollectible"):
        draft = one_off()
        walk.post(f"invoices/{draft}/finalize")
        walk.fetch(f"invoices/{draft}/lines")
        walk.post(f"invoices/{draft}/{end}")
    walk.delete(f"invoices/{one_off()}")


def checkouts(walk: Walk) -> None:
    params: Json = {"mode": "subscription", "success_url": DONE}
    made = [
        walk.post("checkout/sessions", **params, line_items=[{"price": walk.price(), "quantity": 1}])["id"]
        for _ in range(4)
    ]
    walk.fetch(f"checkout/sessions/{made[0]}/line_items")
    walk.post(f"checkout/sessions/{made[0]}", metadata={"a": "1"})
    walk.post(f"checkout/sessions/{made[0]}/expire")
    for session, number in zip(made[1:], ("4242424242424242", "000123456789", "000222222227"), strict=True):
        walk.sandbox.control(f"checkout/{session}/pay", card=number)
    walk.sandbox.advance(days=5)


def platform(walk: Walk) -> None:
    endpoint = walk.post("webhook_endpoints", url="http://127.0.0.1:9/", enabled_events=["*"])["id"]
    walk.post(f"webhook_endpoints/{endpoint}", description="Nowhere")
    clock = walk.post("test_helpers/test_clocks", frozen_time=walk.sandbox.now() + 1)["id"]
    walk.post(f"test_helpers/test_clocks/{clock}/advance", frozen_time=walk.sandbox.now() + 60)


def read_everything(walk: Walk) -> None:
    """Every list, and every object that is in one, as often as its kind occurs."""
    listed = [one.path for one in ENDPOINTS if one.method == "GET" and "{" not in one.path]
    for path in listed:
        if path in {"/v1/account", "/v1/subscription_items"}:
            continue
        params: Json = {"status": "all"} if path == "/v1/subscriptions" else {}
        found = walk.fetch(path.removeprefix("/v1/"), limit=100, **params)["data"]
        assert found, path
        for one in found:
            walk.fetch(f"{path.removeprefix('/v1/')}/{one['id']}")
    walk.fetch(f"accounts/{walk.fetch('account')['id']}")


def leave(walk: Walk) -> None:
    for path in ("webhook_endpoints", "test_helpers/test_clocks"):
        walk.delete(f"{path}/{walk.fetch(path)['data'][0]['id']}")


ANNOUNCED = re.compile(r'(?:emit|changing|announcing)\([^"]*"([a-z_]+(?:\.[a-z_]+)+)"')


def test_every_endpoint_answers_and_every_event_happens(sandbox: Driver) -> None:
    walk = Walk(sandbox)
    for part in (
        catalogue, people, payments, subscriptions, schedules, invoices, checkouts, platform, read_everything, leave,
    ):  # fmt: skip
        part(walk)
    answered = {(method, path) for method, path, status, _ in sandbox.recorder.seen if status == 200}
    left_out = [
        f"{one.method} {one.path}"
        for one in ENDPOINTS
        if not any(method == one.method and matches(one.path, path) for method, path in answered)
    ]
    assert left_out == []
    kinds = {kind for source in SOURCES.rglob("*.py") for kind in ANNOUNCED.findall(source.read_text())}
    assert len(kinds) > 40
    assert kinds - {event["type"] for event in sandbox.all_events()} == set()


def matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None
