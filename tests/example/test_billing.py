"""From free to paid and back, page by page, against the sandbox."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.example.conftest import other_browser
from tests.example.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]

NEEDS_3DS = "4000002500003155"


def test_the_new_limits_hold_at_once_though_no_webhook_has_come(shop: Shop) -> None:
    assert "Choose Standard" in shop.page("/plans/")

    page = shop.buy("standard")

    assert "Welcome to Standard" in page
    assert "<b>0 of 50</b>" in page
    assert "Change to Premium" in shop.page("/plans/")


def test_the_history_lists_the_payment_with_its_invoice(shop: Shop) -> None:
    assert "No payments yet." in shop.page("/billing/plain/")
    shop.buy("standard")
    assert "listed here as soon as Stripe has reported it" in shop.page("/billing/plain/")
    shop.settle()

    page = shop.page("/billing/plain/")

    assert "Subscription payment · Standard" in page
    assert "$12.00" in page
    assert "Succeeded" in page
    assert "It renews on Feb. 1, 2026." in page
    invoice = page.partition(f'<a href="{shop.sandbox.url}')[2].partition('"')[0]
    assert "$12.00" in shop.sandbox.http.get(invoice).text


def test_a_card_that_asks_for_a_confirmation(shop: Shop) -> None:
    assert "Welcome to Premium" in shop.buy("premium", NEEDS_3DS)


def test_coming_back_without_paying_changes_nothing(shop: Shop) -> None:
    session_id = shop.choose("standard")

    assert "Nothing was charged" in shop.page("/plans/?checkout=cancelled")
    assert "Waiting for the payment" in shop.page(f"/billing/plain/done/?session_id={session_id}")
    assert "<b>0 of 3</b>" in shop.page("/billing/plain/")


def test_somebody_elses_session_proves_nothing(shop: Shop) -> None:
    session_id = shop.choose("standard")
    shop.sandbox.control(f"checkout/{session_id}/pay", card="4242424242424242")

    answer = other_browser().get(f"/billing/plain/done/?session_id={session_id}")

    assert (answer.status_code, answer["Location"]) == (302, "/billing/plain/")
    assert not UserSubscription.objects.exclude(plan__slug="free").exists()


def test_an_upgrade_is_shown_before_it_is_paid_for(shop: Shop) -> None:
    shop.buy("standard")

    preview = shop.page("/plans/premium/change/")
    assert "Pay $37.00 and change to Premium" in preview
    assert "At once" in preview
    assert "<b>0 of 50</b>" in shop.page("/billing/plain/")

    page = shop.press("/plans/premium/change/")
    assert "You are on Premium." in page
    assert "0, no limit" in page


def test_who_pays_already_is_led_from_choosing_to_changing(shop: Shop) -> None:
    shop.buy("standard")

    answer = shop.client.post("/plans/premium/choose/")

    assert (answer.status_code, answer["Location"]) == (302, "/plans/premium/change/")


def test_a_downgrade_waits_for_the_end_of_the_period_and_can_be_taken_back(shop: Shop) -> None:
    shop.buy("premium")
    UsageTracker.increment_transcription_seconds(User.objects.get(), 301 * 60)

    preview = shop.page("/plans/standard/change/")
    assert "Feb. 1, 2026" in preview
    assert "more than 300 minutes of transcription" in preview
    assert "more than 50 videos" not in preview
    assert "Your plan changes to Standard on Feb. 1, 2026." in shop.press("/plans/standard/change/")
    page = shop.page("/billing/plain/")
    assert "On Feb. 1, 2026 it changes to Standard." in page
    assert "It renews" not in page
    assert "From Feb. 1, 2026" in shop.page("/plans/")

    page = shop.press("/plans/premium/change/")
    assert "You are on Premium." in page
    assert "it changes to Standard" not in page


def test_a_downgrade_takes_effect(shop: Shop) -> None:
    shop.buy("premium")
    shop.press("/plans/standard/change/")

    shop.advance(days=31, hours=2)

    page = shop.page("/billing/plain/")
    assert "<b>0 of 50</b>" in page
    assert "It renews on March 1, 2026." in page


def test_cancelling_says_what_happens_when_and_can_be_taken_back(shop: Shop) -> None:
    shop.buy("standard")

    asked = shop.page("/billing/plain/cancel/")
    assert "You keep Standard until Feb. 1, 2026." in asked
    assert "3 videos" in asked
    assert "Standard is cancelled and ends on Feb. 1, 2026." in shop.press("/billing/plain/cancel/")
    page = shop.page("/billing/plain/")
    assert "then you are on Free" in page
    assert "Keep Standard" in page
    assert "Cancel subscription" not in page

    assert "You keep Standard; it renews on Feb. 1, 2026." in shop.press("/billing/plain/reactivate/")
    assert "not about to end" in shop.press("/billing/plain/reactivate/")


def test_free_is_reached_by_cancelling(shop: Shop) -> None:
    shop.buy("standard")

    assert "Cancel Standard?" in shop.page("/plans/free/change/")
    shop.press("/billing/plain/cancel/")
    shop.advance(days=32)

    page = shop.page("/billing/plain/")
    assert "Your paid subscription has ended." in page
    assert "<b>0 of 3</b>" in page
    assert "Choose Standard" in shop.page("/plans/")


@pytest.mark.parametrize("path", ["/plans/standard/choose/", "/billing/plain/portal/"])
def test_a_stripe_that_does_not_answer_is_told_calmly(shop: Shop, path: str) -> None:
    if "portal" in path:
        shop.buy("premium")
    shop.sandbox.control("outage", mode="503", requests=9)

    page = shop.press(path)

    assert "The payment service cannot be reached at the moment." in page
    shop.sandbox.control("outage", requests=0)


def test_the_page_after_checkout_does_without_stripe(shop: Shop) -> None:
    session_id = shop.choose("standard")
    shop.sandbox.control("outage", mode="503", requests=9)

    assert "Waiting for the payment" in shop.page(f"/billing/plain/done/?session_id={session_id}")
    shop.sandbox.control("outage", requests=0)


def test_what_was_done_in_the_portal_shows_on_the_way_back(shop: Shop) -> None:
    shop.buy("standard")
    answer = shop.client.post("/billing/plain/portal/")
    assert answer.status_code == 303
    assert answer["Location"].startswith(shop.sandbox.url)
    assert shop.sandbox.http.get(urlsplit(answer["Location"]).path).status_code == 200
    [subscription] = shop.sandbox.api.subscriptions.list().data
    shop.sandbox.api.subscriptions.update(subscription.id, params={"cancel_at_period_end": True})

    assert "then you are on Free" in shop.page("/billing/plain/back/")


def test_without_a_subscription_nothing_can_be_changed(shop: Shop) -> None:
    assert "Choose Premium" in shop.page("/plans/")
    assert "You have no paid subscription" in shop.page("/plans/premium/change/")
    assert "You have no paid subscription" in shop.press("/billing/plain/cancel/")
    assert "You have no subscription yet." in shop.press("/billing/plain/portal/")
    assert "Cancel" not in shop.page("/billing/plain/cancel/").partition("<main")[2]
    assert shop.client.post("/plans/enterprise/choose/").status_code == 404


BUTTONS = ["/plans/standard/choose/", "/billing/plain/portal/", "/billing/plain/reactivate/"]
PAGES = [
    "/billing/plain/",
    "/billing/plain/done/",
    "/billing/plain/back/",
    "/billing/plain/cancel/",
    "/plans/standard/change/",
]


@pytest.mark.parametrize("path", BUTTONS + PAGES)
def test_visitors_are_asked_to_log_in(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


@pytest.mark.parametrize("path", BUTTONS)
def test_a_button_that_is_reached_by_get_does_nothing(browser: Client, path: str) -> None:
    answer = browser.get(path)

    assert (answer.status_code, answer["Location"]) == (302, "/billing/plain/")


def test_in_japanese(shop: Shop) -> None:
    shop.buy("standard")
    shop.settle()
    shop.client.post("/i18n/setlang/", {"language": "ja"})

    assert "次回の更新日は2026年2月1日です。" in shop.page("/billing/plain/")
    assert "$37.00 を支払って Premium に変更" in shop.page("/plans/premium/change/")
    assert "Standard を解約しますか" in shop.page("/billing/plain/cancel/")
