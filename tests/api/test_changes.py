"""A paying user changes, cancels, comes back and looks at the payment, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone, translation
from django.utils.formats import date_format
from rest_framework.test import APIClient

from django_videoq_billing.api.stripe_serializers import CancelledSubscriptionSerializer
from django_videoq_billing.models import SubscriptionPlan, UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import URLS, assert_refused, client_of
from tests.api.contract import OBJECTS, PARTS
from tests.api.shop import DECLINED_LATER, Shop, settings_for
from tests.api.test_checkout import AWAY
from tests.factories import make_user, subscribed

PAID_ONLY = ["subscription/cancel", "subscription/change"]


@pytest.fixture
def paying(shop: Shop) -> Shop:
    """The user has paid for Standard."""
    shop.subscribe(shop.standard)
    return shop


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# Cancel and reactivate


def test_cancelling_names_the_day_on_which_access_ends(paying: Shop) -> None:
    answer = paying.post("subscription/cancel").json()
    assert list(answer) == [*OBJECTS["UserSubscription"], "message"]
    assert (answer["status"], answer["cancel_at_period_end"]) == ("active", True)
    day = date_format(moment(answer["current_period_end"]), "DATE_FORMAT")
    assert answer["message"] == f"You keep Standard until {day}."
    assert paying.row.cancel_at_period_end
    assert paying.stripe.api.subscriptions.retrieve(paying.stripe_ids[1]).cancel_at_period_end


LATE = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "language", "expected"),
    [
        ("UTC", "en", "You keep Pro until June 30, 2026."),
        ("Asia/Tokyo", "en", "You keep Pro until July 1, 2026."),
        ("America/New_York", "en", "You keep Pro until June 30, 2026."),
        ("UTC", "ja", "2026年6月30日"),
    ],
)
def test_the_day_is_the_users_and_in_the_users_language(zone: str, language: str, expected: str) -> None:
    row = UserSubscription(plan=SubscriptionPlan(name="Pro"), current_period_end=LATE)
    with (
        time_machine.travel(LATE - timedelta(days=3)),
        timezone.override(zone),
        translation.override(language),
    ):
        assert expected in CancelledSubscriptionSerializer().get_message(row)


@pytest.mark.parametrize(
    ("grace_end", "expected"),
    [
        (LATE - timedelta(days=1), "You keep Pro until June 29, 2026."),
        (LATE - timedelta(days=4), "Your access to Pro ended on June 27, 2026."),
    ],
)
def test_after_a_failed_renewal_access_ends_with_the_days_of_grace(
    grace_end: datetime, expected: str
) -> None:
    row = UserSubscription(
        plan=SubscriptionPlan(name="Pro"),
        status="past_due",
        cancel_at_period_end=True,
        current_period_end=LATE,
        grace_period_end=grace_end,
    )
    with time_machine.travel(LATE - timedelta(days=3)):
        assert CancelledSubscriptionSerializer().get_message(row) == expected


def test_cancelling_twice_is_safe(paying: Shop) -> None:
    first, second = (paying.post("subscription/cancel").json() for _ in range(2))
    assert first == second


def test_coming_back(paying: Shop) -> None:
    paying.post("subscription/cancel")
    answer = paying.post("subscription/reactivate").json()
    assert list(answer) == OBJECTS["UserSubscription"]
    assert (answer["status"], answer["cancel_at_period_end"], answer["cancelled_at"]) == (
        "active",
        False,
        None,
    )
    assert_refused(paying.post("subscription/reactivate"), "not_scheduled_for_cancellation")


def test_who_pays_nothing_has_nothing_to_undo(shop: Shop) -> None:
    assert_refused(shop.post("subscription/reactivate"), "not_scheduled_for_cancellation")


def test_only_staff_ends_it_at_once(paying: Shop) -> None:
    assert_refused(paying.post("subscription/cancel", immediate=True), "permission_denied")
    assert paying.row.status == "active"
    paying.user.is_staff = True
    paying.user.save()
    answer = paying.post("subscription/cancel", immediate=True).json()
    assert answer["status"] == "cancelled"
    today = date_format(timezone.localtime(), "DATE_FORMAT")
    assert answer["message"] == f"Your access to Standard ended on {today}."
    assert paying.client.get(URLS["billing/usage"]).json()["video_limit"] == 3


@pytest.mark.parametrize("immediate", [None, "perhaps", 2, [], {}])
def test_at_once_is_a_yes_or_a_no(signed_in: APIClient, immediate: Any) -> None:
    response = signed_in.post(URLS["billing/subscription/cancel"], {"immediate": immediate})
    assert list(assert_refused(response, "invalid_request")["details"]) == ["immediate"]


@pytest.mark.parametrize("path", PAID_ONLY)
def test_who_pays_nothing_has_nothing_to_change(shop: Shop, path: str) -> None:
    assert_refused(shop.post(path, plan_id=shop.premium.pk), "conflict")
    assert_refused(shop.preview(shop.premium.pk), "conflict")


@pytest.mark.parametrize("path", ["cancel", "reactivate", "change", "sync"])
def test_who_has_no_subscription_is_told_so(settings: Any, plan: Any, path: str) -> None:
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9", AUTO_ASSIGN_DEFAULT_PLAN=False)
    client = client_of(make_user())
    response = client.post(URLS[f"billing/subscription/{path}"], {"plan_id": plan.pk})
    assert_refused(response, "no_subscription")


# Change


def test_up_at_once(paying: Shop) -> None:
    shown = paying.preview(paying.premium.pk)
    assert shown.status_code == 200
    preview = shown.json()
    assert list(preview) == PARTS["ChangePreview"]
    assert list(preview["plan"]) == OBJECTS["SubscriptionPlan"]
    assert (preview["plan"]["slug"], preview["immediate"], preview["effective_at"]) == ("premium", True, None)
    assert (preview["amount_due_cents"], preview["credit_cents"]) == (3700, 1200)
    assert (preview["amount_due_display"], preview["currency"]) == ("$37.00", "USD")
    assert [list(line) for line in preview["lines"]] == [PARTS["ChangeLine"]] * 2
    assert sum(line["amount_cents"] for line in preview["lines"]) == preview["amount_due_cents"]
    assert preview["exceeded_limits"] == []
    assert paying.row.plan == paying.standard

    answer = paying.change(paying.premium).json()
    assert list(answer) == OBJECTS["UserSubscription"]
    assert (answer["plan"]["slug"], answer["pending_plan"]) == ("premium", None)
    assert paying.client.get(URLS["billing/usage"]).json()["video_limit"] is None


def test_down_at_the_end_of_the_period(shop: Shop) -> None:
    shop.subscribe(shop.premium)
    UsageTracker.increment_video_count(shop.user, 51)
    UsageTracker.increment_transcription_seconds(shop.user, 3600)
    preview = shop.preview(shop.standard.pk).json()
    end = shop.client.get(URLS["billing/subscription"]).json()["current_period_end"]
    assert (preview["immediate"], preview["effective_at"]) == (False, end)
    assert (preview["amount_due_cents"], preview["credit_cents"], preview["lines"]) == (0, 0, [])
    assert preview["exceeded_limits"] == [{"resource": "video", "limit": 50}]

    answer = shop.change(shop.standard).json()
    assert (answer["plan"]["slug"], answer["pending_plan"]["slug"]) == ("premium", "standard")
    assert answer["pending_plan_effective_at"] == end

    kept = shop.change(shop.premium).json()
    assert (kept["plan"]["slug"], kept["pending_plan"]) == ("premium", None)


def test_to_free_is_a_cancellation(paying: Shop) -> None:
    free = UserSubscription.objects.get(user=make_free_user()).plan
    preview = paying.preview(free.pk).json()
    assert (preview["immediate"], preview["amount_due_cents"]) == (False, 0)
    assert paying.change(free).json()["cancel_at_period_end"] is True


def make_free_user() -> Any:
    user = make_user()
    client_of(user).get(URLS["billing/subscription"])
    return user


def test_the_same_plan_is_refused(paying: Shop) -> None:
    assert_refused(paying.change(paying.standard), "already_on_plan")
    assert_refused(paying.preview(paying.standard.pk), "already_on_plan")


def test_a_plan_that_is_offered_no_more_can_be_kept_by_those_who_have_it(paying: Shop) -> None:
    paying.post("subscription/cancel")
    paying.standard.is_active = paying.standard.is_public = False
    paying.standard.save()
    assert paying.change(paying.standard).json()["cancel_at_period_end"] is False
    other = client_of(subscribed(paying.premium))
    response = paying.post("subscription/change", other, plan_id=paying.standard.pk)
    assert_refused(response, "invalid_plan")


@pytest.mark.parametrize("query", ["", "plan_id=", "plan_id=x", "plan_id=1.5", "plan_id=%00", "plan=1"])
def test_a_preview_needs_a_plan_id(signed_in: APIClient, query: str) -> None:
    response = signed_in.get(f"{URLS['billing/subscription/preview']}?{query}")
    assert list(assert_refused(response, "invalid_request")["details"]) == ["plan_id"]


def test_a_card_that_is_declined_changes_nothing(paying: Shop) -> None:
    paying.use_card("pm_card_chargeCustomerFail")
    body = assert_refused(paying.change(paying.premium), "stripe_error")
    assert body["details"] == {"reason": "card_declined", "decline_code": "generic_decline"}
    assert body["message"] == "Your card was declined. Try another card, or ask your bank."
    assert paying.post("subscription/sync").json()["plan"]["slug"] == "standard"


def test_a_payment_that_the_bank_wants_confirmed_says_where(paying: Shop) -> None:
    paying.use_card("pm_card_authenticationRequired")
    body = assert_refused(paying.change(paying.premium), "stripe_error")
    assert body["message"].startswith("Your bank asks you to confirm this payment.")
    assert body["details"]["reason"] == "authentication_required"
    assert "Pay this invoice" in paying.stripe.http.get(body["details"]["payment_url"]).text
    assert paying.post("subscription/sync").json()["plan"]["slug"] == "standard"

    assert paying.post("subscription/cancel").json()["cancel_at_period_end"] is True
    assert "Pay this invoice" not in paying.stripe.http.get(body["details"]["payment_url"]).text


def test_a_price_that_is_gone_at_stripe_is_a_refusal_of_stripes(paying: Shop) -> None:
    paying.premium.stripe_price_id = "price_that_is_gone"
    paying.premium.save()
    for response in (paying.change(paying.premium), paying.preview(paying.premium.pk)):
        body = assert_refused(response, "stripe_error")
        assert "price_that_is_gone" not in json.dumps(body)


# Portal and payment method


def test_the_portal(paying: Shop, settings: Any) -> None:
    settings.VIDEOQ_BILLING = settings_for(paying.stripe.url, CHECKOUT_CANCEL_URL="/plans/")
    cases: list[tuple[dict[str, Any], str]] = [({}, "/plans/"), ({"return_url": "/account/"}, "/account/")]
    for given, expected in cases:
        answer = paying.post("portal", **given).json()
        assert list(answer) == PARTS["PortalSession"]
        assert answer["portal_url"].startswith(f"{paying.stripe.url}/")
        assert paying.stripe.http.get(answer["portal_url"]).status_code == 200
        assert f"http://testserver{expected}" in paying.stripe.http.get(answer["portal_url"]).text


@pytest.mark.parametrize("url", AWAY)
def test_the_portal_leads_back_to_no_other_site(settings: Any, signed_in: APIClient, url: str) -> None:
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
    response = signed_in.post(URLS["billing/portal"], {"return_url": url})
    assert assert_refused(response, "invalid_redirect_url")["details"] == {"field": "return_url"}


def test_who_never_bought_anything_has_no_portal(shop: Shop) -> None:
    assert_refused(shop.post("portal"), "no_subscription")


def test_without_a_card_the_payment_method_is_empty(shop: Shop) -> None:
    response = shop.client.get(URLS["billing/payment-method"])
    assert (response.status_code, response.json()) == (200, dict.fromkeys(PARTS["PaymentMethod"]))


def test_the_payment_method_asks_nobody(shop: Shop, settings: Any) -> None:
    shop.subscribe(shop.standard)
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
    response = shop.client.get(URLS["billing/payment-method"])
    assert (response.status_code, list(response.json())) == (200, PARTS["PaymentMethod"])


def test_a_card_that_fails_later_is_no_refusal_at_checkout(shop: Shop) -> None:
    session_id = shop.checkout(shop.standard).json()["session_id"]
    shop.pay(session_id, DECLINED_LATER)
    assert shop.post("subscription/sync", session_id=session_id).json()["plan"]["slug"] == "free"
