"""From a free plan to a paid one, over HTTP, with a local Stripe on the other side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from django_videoq_billing.models import UserSubscription
from tests.api.clients import URLS, assert_refused, client_of
from tests.api.contract import PARTS
from tests.api.shop import Shop, settings_for
from tests.factories import make_plan, make_user

URL = URLS["billing/subscription/checkout"]


def test_a_page_is_opened_and_nothing_else_happens(shop: Shop) -> None:
    response = shop.checkout(shop.standard)
    assert response.status_code == 200
    assert list(response.json()) == PARTS["CheckoutSession"]
    session = shop.session(response.json()["session_id"])
    assert response.json()["checkout_url"] == session.url
    assert (session.mode, session.status, session.amount_total) == ("subscription", "open", 1200)
    assert session.client_reference_id == str(shop.user.pk)
    assert (session.success_url, session.cancel_url) == ("http://testserver/", "http://testserver/")
    assert (shop.row.plan.slug, shop.row.stripe_subscription_id) == ("free", None)


def test_after_paying_the_success_page_learns_of_the_new_plan(shop: Shop) -> None:
    session_id = shop.checkout(shop.standard).json()["session_id"]
    shop.pay(session_id)
    answer = shop.post("subscription/sync", session_id=session_id).json()
    assert (answer["plan"]["slug"], answer["status"]) == ("standard", "active")
    usage = shop.client.get(URLS["billing/usage"]).json()
    assert usage["video_limit"] == 50


def test_an_open_page_is_used_again_and_another_plan_closes_it(shop: Shop) -> None:
    first, second = (shop.checkout(shop.standard).json() for _ in range(2))
    assert first == second
    third = shop.checkout(shop.premium).json()
    assert third["session_id"] != first["session_id"]
    assert shop.session(first["session_id"]).status == "expired"


def test_the_way_back_may_be_chosen_and_may_name_the_session(shop: Shop) -> None:
    urls = {
        "success_url": "/thanks?session={CHECKOUT_SESSION_ID}#top",
        "cancel_url": "http://testserver/plans?from=checkout",
    }
    session = shop.session(shop.checkout(shop.standard, **urls).json()["session_id"])
    assert session.success_url == "http://testserver/thanks?session={CHECKOUT_SESSION_ID}#top"
    assert session.cancel_url == urls["cancel_url"]


@pytest.mark.parametrize("absent", [{}, {"success_url": None}, {"success_url": ""}])
def test_without_one_the_settings_decide(shop: Shop, settings: Any, absent: dict[str, Any]) -> None:
    settings.VIDEOQ_BILLING = settings_for(
        shop.stripe.url, CHECKOUT_SUCCESS_URL="/welcome/", CHECKOUT_CANCEL_URL="videoq_billing:plans"
    )
    session = shop.session(shop.checkout(shop.standard, **absent).json()["session_id"])
    assert session.success_url == "http://testserver/welcome/"
    assert session.cancel_url == "http://testserver/api/billing/plans"


def test_the_sites_other_hosts_are_allowed(shop: Shop, settings: Any) -> None:
    settings.VIDEOQ_BILLING = settings_for(
        shop.stripe.url, ALLOWED_REDIRECT_HOSTS=["app.example.com", "localhost:3000"]
    )
    urls = {"success_url": "https://app.example.com/ok", "cancel_url": "http://localhost:3000/plans"}
    session = shop.session(shop.checkout(shop.standard, **urls).json()["session_id"])
    assert (session.success_url, session.cancel_url) == (urls["success_url"], urls["cancel_url"])
    urls["cancel_url"] = "http://localhost:3001/plans"
    assert_refused(shop.checkout(shop.standard, **urls), "invalid_redirect_url")


AWAY = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example/",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "http://testserver\\@evil.example",
    "http://testserver@evil.example",
    "http://testserver:pass@evil.example/",
    "http://evil.example@testserver/",
    "http://testserver.evil.example/",
    "http://eviltestserver/",
    "http://testserver:8001/",
    "http://testserver:pass/",
    "http://[evil",
    "http://",
    "/\tevil",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\n/evil.example",
    "/%0a\r\nSet-Cookie: a=b",
    "java\nscript:alert(1)",
    "javascript:alert(1)",
    "JavaScript://testserver/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "ftp://testserver/",
    "file:///etc/passwd",
    "evil.example",
    "plans/",
    "?next=//evil.example",
    "#",
    "http://testserver\u2028.evil.example/",
    "http://\uff45\uff56\uff49\uff4c.example/",
    "\u200b//evil.example",
]


@pytest.mark.parametrize("url", AWAY)
@pytest.mark.parametrize("field", ["success_url", "cancel_url"])
def test_no_way_leads_to_another_site(settings: Any, plan: Any, field: str, url: str) -> None:
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")  # nobody is asked
    plan.stripe_price_id = "price_1"
    plan.price_cents = 1200
    plan.save()
    response = client_of(make_user()).post(URL, {"plan_id": plan.pk, field: url})
    assert assert_refused(response, "invalid_redirect_url")["details"] == {"field": field}


@pytest.mark.parametrize("url", ["http://testserver/", "//testserver/", "/\\testserver"])
def test_a_site_on_https_sends_nobody_back_without(settings: Any, signed_in: APIClient, url: str) -> None:
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
    plan = make_plan(price_cents=1200, stripe_price_id="price_1")
    response = signed_in.post(URL, {"plan_id": plan.pk, "success_url": url}, secure=True)
    assert_refused(response, "invalid_redirect_url")


@pytest.mark.parametrize("url", [1, True, ["/"], {"a": "/"}, "/\x00", "/\ud800", "/" * 2001])
def test_what_is_no_address_at_all_is_refused(settings: Any, signed_in: APIClient, url: Any) -> None:
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
    plan = make_plan(price_cents=1200, stripe_price_id="price_1")
    body = json.dumps({"plan_id": plan.pk, "success_url": url})
    response = signed_in.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"] in ("invalid_request", "invalid_redirect_url")


def test_a_plan_that_is_not_offered_is_refused(shop: Shop) -> None:
    hidden = shop.for_sale("hidden", 900, is_public=False)
    retired = shop.for_sale("retired", 900, is_active=False)
    unsold = make_plan(price_cents=900)
    for plan_id in (hidden.pk, retired.pk, unsold.pk, 999_999, 0, -1, 2**63, 10**40):
        for path in ("checkout", "change"):
            if (path, plan_id) != ("change", unsold.pk):
                assert_refused(shop.post(f"subscription/{path}", plan_id=plan_id), "invalid_plan")
        assert plan_id == unsold.pk or assert_refused(shop.preview(plan_id), "invalid_plan")
    assert shop.stripe.api.customers.list().data == []


@pytest.mark.parametrize(
    "plan_id", ["", "standard", None, True, 1.5, [], {}, "1; drop table", "\x00", "9" * 2000]
)
@pytest.mark.parametrize("path", ["checkout", "change"])
def test_what_is_no_plan_id_is_refused(signed_in: APIClient, path: str, plan_id: Any) -> None:
    response = signed_in.post(URLS[f"billing/subscription/{path}"], {"plan_id": plan_id})
    assert list(assert_refused(response, "invalid_request")["details"]) == ["plan_id"]


@pytest.mark.parametrize("path", ["checkout", "change"])
def test_without_a_plan_id_it_is_missed(signed_in: APIClient, path: str) -> None:
    response = signed_in.post(URLS[f"billing/subscription/{path}"], {})
    assert list(assert_refused(response, "invalid_request")["details"]) == ["plan_id"]


def test_a_paying_user_gets_no_second_subscription(shop: Shop) -> None:
    shop.subscribe(shop.standard)
    assert_refused(shop.checkout(shop.standard), "already_on_plan")
    assert_refused(shop.checkout(shop.premium), "subscription_exists")
    assert len(shop.stripe.api.subscriptions.list().data) == 1


def test_whoever_paid_on_another_tab_gets_no_second_page(shop: Shop) -> None:
    """The webhook is late: the site does not know of the payment yet."""
    session_id = shop.checkout(shop.standard).json()["session_id"]
    shop.pay(session_id)
    assert_refused(shop.checkout(shop.premium), "subscription_exists")
    assert_refused(shop.checkout(shop.standard), "already_on_plan")


def test_somebody_elses_session_is_unknown(shop: Shop) -> None:
    session_id = shop.subscribe(shop.standard)
    other = make_user()
    client_of(other).post(URL, {"plan_id": shop.standard.pk})  # now a customer, too
    for stranger in (client_of(other), client_of(make_user())):
        response = shop.post("subscription/sync", stranger, session_id=session_id)
        assert_refused(response, "no_subscription")
    assert UserSubscription.objects.get(user=other).plan.slug == "free"


def test_an_unknown_session_is_like_somebody_elses(shop: Shop) -> None:
    shop.checkout(shop.standard)
    assert_refused(shop.post("subscription/sync", session_id="cs_test_unknown"), "no_subscription")


@pytest.mark.parametrize(
    "session_id",
    [
        "",
        ["cs"],
        {},
        "\x00",
        "cs_" + "c" * 256,
        True,
        "sub_123",
        "../customers",
        "cs_a?b=c",
        "cs_a/b",
        "cs_é",
        "cs_1\n",
    ],
)
def test_what_is_no_session_id_is_refused(signed_in: APIClient, session_id: Any) -> None:
    response = signed_in.post(URLS["billing/subscription/sync"], {"session_id": session_id})
    assert_refused(response, "invalid_request")


def test_syncing_needs_no_session_and_no_payment(shop: Shop) -> None:
    for nothing in ({}, {"session_id": None}):
        assert shop.post("subscription/sync", **nothing).json()["plan"]["slug"] == "free"


@pytest.mark.parametrize("card", ["4000000000000002", "4000000000009995"])
def test_a_declined_card_changes_nothing(shop: Shop, card: str) -> None:
    session_id = shop.checkout(shop.standard).json()["session_id"]
    shop.pay(session_id, card)
    answer = shop.post("subscription/sync", session_id=session_id).json()
    assert answer["plan"]["slug"] == "free"
    assert shop.checkout(shop.standard).json()["session_id"] == session_id


@pytest.mark.django_db(transaction=True)
def test_what_happened_at_stripe_is_not_undone_here(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ATOMIC_REQUESTS an error rolls back, and the customer just made at Stripe would be forgotten."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    shop.standard.stripe_price_id = "price_gone"
    shop.standard.save()
    assert_refused(shop.checkout(shop.standard), "stripe_error")
    (customer,) = shop.stripe.api.customers.list().data
    assert shop.row.stripe_customer_id == customer.id
