"""Payments that do not simply go through, as their person sees them: declined, to be confirmed, overdue, paused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.entitlements import ensure_subscription
from tests.example.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]

NEEDS_3DS_EACH_TIME = "4000002760003184"
CARD = {"number": NEEDS_3DS_EACH_TIME, "expiry": "12 / 34", "cvc": "123", "name": "Ada"}


def test_a_declined_card_changes_nothing(shop: Shop) -> None:
    shop.buy("standard")
    shop.refuse_next(payments=1)

    page = shop.press("/plans/premium/change/")

    assert "Your card was declined." in page
    assert "<b>0 of 50</b>" in page


def test_an_upgrade_that_the_bank_wants_confirmed(shop: Shop) -> None:
    shop.buy("standard", NEEDS_3DS_EACH_TIME)

    page = shop.press("/plans/premium/change/")
    assert "Your bank asks you to confirm this payment." in page
    assert "<b>0 of 50</b>" in page
    [confirm] = re.findall(r'href="([^"]+)">Confirm the payment<', page)
    assert f'href="{confirm}"' in shop.press("/plans/premium/change/"), "pressed again, the same page"

    bank = shop.sandbox.http.post(confirm, data=CARD).headers["location"]
    assert "Confirmed" in shop.sandbox.http.post(bank, data={"answer": "complete"}).text
    shop.settle()

    page = shop.page("/billing/plain/")
    assert "0, no limit" in page
    assert "$37.00" in page


def test_the_confirmation_is_asked_for_in_japanese(shop: Shop) -> None:
    shop.buy("standard", NEEDS_3DS_EACH_TIME)
    shop.client.cookies["django_language"] = "ja"

    page = shop.press("/plans/premium/change/")

    assert "支払いを確認する</a>" in page
    assert "カード会社" in page


def test_what_is_scheduled_stands_in_the_way_of_a_confirmation(shop: Shop) -> None:
    shop.buy("standard", NEEDS_3DS_EACH_TIME)
    shop.press("/billing/plain/cancel/")

    page = shop.press("/plans/premium/change/")

    assert "Take back the change or cancellation" in page
    assert "Confirm the payment" not in page
    assert "Keep Standard" in page


def test_a_failed_renewal_is_told_until_it_ends(shop: Shop) -> None:
    shop.buy("standard")
    shop.refuse_next(payments=9)

    shop.advance(days=31, hours=2)
    page = shop.page("/billing/plain/")
    assert "The last payment failed" in page
    assert "You keep Standard until Feb. 4, 2026; after that" in page
    assert "Failed" in page
    [pay_now] = re.findall(r'href="([^"]+)">Pay now<', page)
    assert "Pay this invoice" in shop.sandbox.http.get(pay_now).text
    assert "Settle the open payment first" in shop.page("/plans/")
    assert "Only the payment that is open may still be charged." in shop.page("/billing/plain/cancel/")
    assert "Settle the open payment first" in shop.page("/plans/premium/change/")

    shop.advance(days=4)
    page = shop.page("/billing/plain/")
    assert "Until it is paid, the limits of Free hold." in page
    assert "<b>0 of 3</b>" in page

    shop.advance(days=20)
    page = shop.page("/billing/plain/")
    assert "Your paid subscription has ended." in page
    assert "Pay now" not in page


def test_a_renewal_that_the_bank_wants_confirmed(shop: Shop) -> None:
    shop.buy("standard")
    shop.refuse_next(payments=1)
    shop.advance(days=31, hours=2)
    shop.advance(days=3)  # the failed renewal of January was paid at the second attempt
    shop.use_card("pm_card_authenticationRequired")

    shop.advance(days=26)
    page = shop.page("/billing/plain/")
    assert "Payment overdue" in page
    [pay_now] = re.findall(r'href="([^"]+)">Pay now<', page)

    bank = shop.sandbox.http.post(pay_now, data=CARD).headers["location"]
    shop.sandbox.http.post(bank, data={"answer": "complete"})
    shop.settle()
    page = shop.page("/billing/plain/")
    assert "It renews on April 1, 2026." in page
    assert "Pay now" not in page


def test_an_overdue_payment_is_told_though_stripe_does_not_answer(shop: Shop) -> None:
    shop.buy("standard")
    shop.refuse_next(payments=9)
    shop.advance(days=31, hours=2)
    shop.sandbox.control("outage", mode="503", requests=9)

    page = shop.page("/billing/plain/")
    shop.sandbox.control("outage", requests=0)

    assert "The last payment failed" in page
    assert "Pay now" not in page
    assert "Manage payment" in page


def test_a_paused_subscription_can_be_ended_at_once(shop: Shop, user: Any) -> None:
    customer = shop.sandbox.customer(None).id
    row = ensure_subscription(user)
    row.stripe_customer_id = customer
    row.save()
    price = str(SubscriptionPlan.objects.get(slug="standard").stripe_price_id)
    no_card: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    shop.sandbox.subscribe(customer, price, trial_period_days=7, trial_settings=no_card)
    shop.settle()
    shop.advance(days=8)

    assert "Your subscription is paused. Once it is resumed" in shop.page("/plans/premium/change/")
    asked = shop.page("/billing/plain/cancel/")
    assert "Nothing more is charged." in asked
    assert "You can take this back" not in asked
    page = shop.press("/billing/plain/cancel/")
    assert "Your paid subscription has ended." in page
    assert "and ends on" not in page
