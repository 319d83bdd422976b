"""No answer and no line of the log carries a Stripe id or a secret, whatever the rows hold."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.webhooks import inbox
from tests.api.clients import URLS, ask, client_of
from tests.api.contract import LOCAL
from tests.api.shop import KEY, SECRET, Shop
from tests.api.test_stripe_errors import ours
from tests.factories import make_payment, make_plan, subscribed
from tests.leaks import STRIPE_ID
from tests.signing import signature_of


@pytest.fixture
def paying(db: None) -> Any:
    """A user of whom every column that can hold a Stripe id holds one."""
    plans = [
        make_plan(price_cents=1200, stripe_price_id=f"price_Secret{n}", stripe_product_id=f"prod_Secret{n}")
        for n in range(2)
    ]
    user = subscribed(
        plans[0],
        stripe_subscription_id="sub_Secret1",
        stripe_customer_id="cus_Secret1",
        pending_plan=plans[1],
        pending_plan_effective_at=timezone.now(),
    )
    for prefix in ("in", "re", "du", "ch"):
        make_payment(user=user, plan=plans[0], stripe_object_id=f"{prefix}_Secret1")
    return user


@pytest.mark.parametrize("endpoint", LOCAL)
@pytest.mark.parametrize("used", [0, 5])
def test_no_answer_carries_a_stripe_id(paying: Any, endpoint: tuple[str, str], used: int) -> None:
    if used:
        UsageTracker.increment_video_count(paying, used)
    response = ask(client_of(paying), endpoint)
    assert response.status_code in (200, 403)
    everything = response.text + str(response.headers)
    assert STRIPE_ID.findall(everything) == []
    assert "Secret" not in everything
    assert "stripe" not in everything


@pytest.mark.parametrize(
    "query", ["fields=*", "expand=plan", "stripe_customer_id=cus_Secret1", "limit=cus_Secret1", "offset=-1"]
)
def test_no_question_brings_one_out(paying: Any, query: str) -> None:
    response = client_of(paying).get(f"{URLS['billing/history']}?{query}")
    assert "_Secret" not in response.text


def test_the_search_finds_what_it_looks_for() -> None:
    found = STRIPE_ID.findall('{"id": "cus_Secret1", "plan": "price_Secret1", "url": "/in_Secret12345"}')
    assert found == ["cus", "price", "in"]
    assert STRIPE_ID.findall('"price_cents", "price_display", "sub_total", "cancel_at_period_end"') == []


# A whole life with a local Stripe: real ids in every row, real answers to leak from.


def signed(event: dict[str, Any]) -> tuple[str, str]:
    body = json.dumps(event)
    return body, signature_of(body, SECRET)


def walk(shop: Shop) -> Iterator[Any]:
    """Ask every endpoint in every state that a subscription goes through; yield the answers."""
    for path in ("plans", "subscription", "usage", "usage/history", "history", "payment-method"):
        yield shop.client.get(URLS[f"billing/{path}"])
    yield shop.client.post(URLS["billing/usage/check"], {"action": "upload_video"})
    for plan in (shop.standard, shop.premium):
        yield shop.preview(plan.pk)
        yield shop.checkout(plan)
        yield shop.change(plan)
    for path in ("cancel", "cancel", "reactivate", "reactivate", "sync"):
        yield shop.post(f"subscription/{path}")
    yield shop.post("subscription/cancel", immediate=True)
    yield shop.post("subscription/sync", session_id="cs_test_unknown")
    yield shop.post("subscription/checkout", plan_id=shop.premium.pk, success_url="//evil.example")


def live(shop: Shop) -> Iterator[Any]:
    yield from walk(shop)
    shop.subscribe(shop.standard)
    customer, subscription = shop.stripe_ids
    for event in shop.stripe.all_events():
        body, signature = signed(event)
        response = shop.client.post(
            URLS["billing/webhook/stripe"],
            body,
            content_type="application/json",
            headers={"stripe-signature": signature},
        )
        assert response.json() == {"received": True, "event_id": event["id"]}
        inbox.process_event(event["id"])
    yield from walk(shop)
    method = shop.stripe.api.payment_methods.attach(
        "pm_card_chargeCustomerFail", params={"customer": customer}
    )
    shop.stripe.api.subscriptions.update(subscription, params={"default_payment_method": method.id})
    yield from walk(shop)
    shop.premium.stripe_price_id = "price_GoneAtStripe1"
    shop.premium.save()
    yield from walk(shop)
    shop.user.is_staff = True
    shop.user.save()
    yield shop.post("subscription/cancel", immediate=True)
    yield from walk(shop)
    shop.stripe.reset()  # now Stripe knows none of it
    yield from walk(shop)


def test_a_whole_life_leaks_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answers = list(live(shop))
    assert {answer.status_code for answer in answers} == {200, 400, 403, 404, 409, 502}
    ledger = [answer for answer in answers if "transactions" in answer.text]
    assert ledger[-1].json()["total"] == 1
    secrets = (KEY, SECRET, "whsec_", "sk_test_")
    for answer in answers:
        told = without_ways_to_stripe(answer.text) + str(answer.headers)
        assert STRIPE_ID.findall(told) == []
        assert not [secret for secret in secrets if secret in told]
    for record in ours(caplog.records):
        written = str({**vars(record), "text": record.getMessage(), "trace": str(record.exc_info)})
        assert STRIPE_ID.findall(written) == []
        assert not [secret for secret in secrets if secret in written]


def without_ways_to_stripe(text: str) -> str:
    """The contract's one id, and the addresses of Stripe's own pages."""
    ways = r'"(session_id|checkout_url|portal_url|payment_url|invoice_url|invoice_pdf)":"[^"]*"'
    return re.sub(ways, "", text)
