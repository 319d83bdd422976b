"""Checkout by its page, as a person goes through it, and the portal and invoice pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe

from tests.sandbox.driver import DAY, Driver

SUCCESS = "http://localhost:8000/done?session={CHECKOUT_SESSION_ID}"
FORM = {
    "email": "person@example.com",
    "number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "A Person",
}


def session_for(sandbox: Driver, **extra: Any) -> stripe.checkout.Session:
    price = sandbox.price(1200)
    params: Any = {
        "mode": "subscription", "line_items": [{"price": price.id, "quantity": 1}], "success_url": SUCCESS,
        "cancel_url": "http://localhost:8000/plans", **extra,
    }  # fmt: skip
    return sandbox.api.checkout.sessions.create(params=params)


def pay(sandbox: Driver, session: stripe.checkout.Session, **changes: str) -> Any:
    return sandbox.http.post(str(session.url), data={**FORM, **changes})


def test_paying(sandbox: Driver) -> None:
    customer = sandbox.customer(None)
    session = session_for(
        sandbox, customer=customer.id, client_reference_id="7", metadata={"user": "7"},
        subscription_data={"metadata": {"user": "7"}},
    )  # fmt: skip
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1200)
    shown = sandbox.http.get(str(session.url))
    assert shown.status_code == 200
    assert "$12.00" in shown.text
    sandbox.new_events()
    answer = pay(sandbox, session)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id),
    )
    assert sandbox.new_types(without=("payment_intent.",)) == [
        "payment_method.attached", "invoice.created", "invoice.finalized", "charge.succeeded",
        "invoice.payment_succeeded", "invoice.paid", "customer.subscription.created", "checkout.session.completed",
    ]  # fmt: skip
    done = sandbox.api.checkout.sessions.retrieve(
        session.id, params={"expand": ["subscription", "line_items", "invoice"]}
    )
    assert (done.status, done.payment_status, done.customer, done.url) == (
        "complete",
        "paid",
        customer.id,
        None,
    )
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.metadata.to_dict() == {"user": "7"}
    assert done.subscription.default_payment_method
    assert pay(sandbox, session).status_code == 200
    assert len(sandbox.api.subscriptions.list().data) == 1


def test_a_new_customer_is_made(sandbox: Driver) -> None:
    session = session_for(sandbox, customer_email="new@example.com")
    assert "new@example.com" in sandbox.http.get(str(session.url)).text
    pay(sandbox, session, email="other@example.com")
    done = sandbox.api.checkout.sessions.retrieve(session.id, params={"expand": ["customer"]})
    assert isinstance(done.customer, stripe.Customer)
    assert done.customer.email == "other@example.com"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": "4000 0000 0000 9995"}, "Your card has insufficient funds."),
        ({"number": "4000 0000 0000 0002"}, "Your card was declined."),
        ({"number": "4000 0000 0000 0341"}, "Your card was declined."),
        ({"number": "1234"}, "Your card number is invalid."),
        ({"expiry": "12 / 24"}, "expiration date is in the past"),
        ({"expiry": "soon"}, "expiration date is incomplete"),
        ({"cvc": "1"}, "security code is incomplete"),
        ({"email": "nobody"}, "email address is incomplete"),
        ({"name": " "}, "Enter the name on the card."),
    ],
)
def test_refusals_are_shown_on_the_page(sandbox: Driver, changes: dict[str, str], message: str) -> None:
    session = session_for(sandbox)
    sandbox.new_events()
    answer = pay(sandbox, session, **changes)
    assert answer.status_code == 402
    assert message in answer.text.replace("&#39;", "'")
    assert sandbox.new_events() == []
    assert pay(sandbox, session).status_code == 303


def test_3d_secure_step(sandbox: Driver) -> None:
    session = session_for(sandbox)
    step = pay(sandbox, session, number="4000 0025 0000 3155")
    assert step.headers["location"].endswith("/3ds")
    assert "Confirm this payment" in sandbox.http.get(step.headers["location"]).text
    failed = sandbox.http.post(step.headers["location"], data={"answer": "fail"})
    assert "unable to authenticate" in sandbox.http.get(failed.headers["location"]).text
    step = pay(sandbox, session, number="4000 0025 0000 3155")
    done = sandbox.http.post(step.headers["location"], data={"answer": "complete"})
    assert done.headers["location"].startswith("http://localhost:8000/done")
    subscription = sandbox.api.subscriptions.list().data[0]
    sandbox.advance(days=31, seconds=3600)
    assert sandbox.status(subscription.id) == "active"


def test_3d_secure_and_then_declined(sandbox: Driver) -> None:
    session = session_for(sandbox)
    step = pay(sandbox, session, number="4000 0082 6000 3178")
    answer = sandbox.http.post(step.headers["location"], data={"answer": "complete"})
    assert "insufficient funds" in answer.text
    assert f'value="{FORM["email"]}"' in answer.text, "only the card has to be typed again"
    assert f'value="{FORM["name"]}"' in answer.text
    [action] = re.findall(r'<form method="post" action="([^"]+)" novalidate>', answer.text)
    done = sandbox.http.post(action, data={**FORM, "number": "4242 4242 4242 4242"})
    assert done.headers["location"].startswith("http://localhost:8000/done")


def test_trial_by_checkout(sandbox: Driver) -> None:
    session = session_for(sandbox, subscription_data={"trial_period_days": 14})
    assert session.amount_total == 0
    assert "14 days free" in sandbox.http.get(str(session.url)).text
    pay(sandbox, session)
    done = sandbox.api.checkout.sessions.retrieve(session.id)
    assert done.payment_status == "no_payment_required"
    assert sandbox.api.subscriptions.list().data[0].status == "trialing"


def test_promotion_code(sandbox: Driver) -> None:
    coupon = sandbox.api.coupons.create(params={"percent_off": 50, "duration": "forever"})
    code = sandbox.api.promotion_codes.create(
        params={"code": "HALF", "promotion": {"type": "coupon", "coupon": coupon.id}}
    )
    session = session_for(sandbox, allow_promotion_codes=True)
    wrong = sandbox.http.post(str(session.url), data={"action": "promotion_code", "promotion_code": "NOPE"})
    assert "This code is invalid." in wrong.text
    sandbox.http.post(str(session.url), data={"action": "promotion_code", "promotion_code": "half"})
    assert "$6.00 <small>today</small>" in sandbox.http.get(str(session.url)).text
    pay(sandbox, session)
    assert sandbox.api.invoices.list().data[0].amount_paid == 600
    assert sandbox.api.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_promotion_codes_are_off_unless_asked_for(sandbox: Driver) -> None:
    coupon = sandbox.api.coupons.create(params={"percent_off": 50, "duration": "forever"})
    sandbox.api.promotion_codes.create(
        params={"code": "HALF", "promotion": {"type": "coupon", "coupon": coupon.id}}
    )
    for asked in ({}, {"allow_promotion_codes": False}):
        session = session_for(sandbox, **asked)
        assert 'name="promotion_code"' not in sandbox.http.get(str(session.url)).text
        sandbox.http.post(str(session.url), data={"action": "promotion_code", "promotion_code": "HALF"})
        assert sandbox.api.checkout.sessions.retrieve(session.id).amount_total == 1200
    with_codes = session_for(sandbox, allow_promotion_codes=True)
    assert 'name="promotion_code"' in sandbox.http.get(str(with_codes.url)).text


def test_a_discount_given_by_the_host(sandbox: Driver) -> None:
    coupon = sandbox.api.coupons.create(params={"amount_off": 200, "currency": "usd", "duration": "once"})
    session = session_for(sandbox, discounts=[{"coupon": coupon.id}])
    assert (session.amount_subtotal, session.amount_total) == (1200, 1000)
    pay(sandbox, session)
    assert sandbox.api.invoices.list().data[0].amount_paid == 1000
    with pytest.raises(stripe.InvalidRequestError):
        session_for(sandbox, discounts=[{"coupon": coupon.id}], allow_promotion_codes=True)


def test_expiry(sandbox: Driver) -> None:
    session = session_for(sandbox)
    sandbox.new_events()
    assert sandbox.api.checkout.sessions.expire(session.id).status == "expired"
    assert sandbox.new_types() == ["checkout.session.expired"]
    assert "expired" in sandbox.http.get(f"/c/pay/{session.id}").text
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.checkout.sessions.expire(session.id)
    other = session_for(sandbox)
    sandbox.advance(days=1)
    assert sandbox.api.checkout.sessions.retrieve(other.id).status == "expired"


def test_what_checkout_refuses(sandbox: Driver) -> None:
    customer = sandbox.customer(None)
    for extra in (
        {"customer": customer.id, "customer_email": "a@example.com"}, {"success_url": "javascript:alert(1)"},
        {"expires_at": sandbox.now() + 60}, {"line_items": [{"price": "price_none", "quantity": 1}]}, {"mode": "payment"},
    ):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError):
            session_for(sandbox, **extra)


def test_paying_by_control(sandbox: Driver) -> None:
    session = session_for(sandbox)
    declined = sandbox.control(f"checkout/{session.id}/pay", card="4000000000009995")
    assert (declined["outcome"], declined["decline_code"]) == ("declined", "insufficient_funds")
    paid = sandbox.control(f"checkout/{session.id}/pay", card="4000002500003155")
    assert (paid["outcome"], paid["success_url"]) == (
        "succeeds",
        SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id),
    )


def test_the_next_payment_fails_once_at_checkout_too(sandbox: Driver) -> None:
    customer = sandbox.customer(None)
    sandbox.control(f"customers/{customer.id}/fail_next", reason="insufficient_funds")
    session = session_for(sandbox, customer=customer.id)
    assert "insufficient funds" in pay(sandbox, session).text
    assert pay(sandbox, session).status_code == 303


def test_portal(sandbox: Driver) -> None:
    customer = sandbox.customer()
    subscription = sandbox.subscribe(customer.id, sandbox.price(1200).id)
    portal = sandbox.api.billing_portal.sessions.create(
        params={"customer": customer.id, "return_url": "http://localhost/back"}
    )
    page = sandbox.http.get(portal.url).text
    assert "Renews on" in page
    assert "http://localhost/back" in page
    sandbox.http.post(portal.url, data={"action": "cancel", "subscription": subscription.id})
    assert sandbox.api.subscriptions.retrieve(subscription.id).cancel_at_period_end
    assert "Cancels on" in sandbox.http.get(portal.url).text
    sandbox.http.post(portal.url, data={"action": "resume", "subscription": subscription.id})
    assert not sandbox.api.subscriptions.retrieve(subscription.id).cancel_at_period_end
    declined = sandbox.http.post(portal.url, data={**FORM, "action": "card", "number": "4000 0000 0000 0002"})
    assert "declined" in declined.text
    sandbox.http.post(portal.url, data={**FORM, "action": "card", "number": "5555 5555 5555 4444"})
    default = sandbox.api.customers.retrieve(
        customer.id, params={"expand": ["invoice_settings.default_payment_method"]}
    )
    assert default.invoice_settings is not None
    assert isinstance(default.invoice_settings.default_payment_method, stripe.PaymentMethod)
    assert default.invoice_settings.default_payment_method.card is not None
    assert default.invoice_settings.default_payment_method.card.last4 == "4444"
    stranger = sandbox.subscribe(sandbox.customer().id, sandbox.price().id)
    sandbox.http.post(portal.url, data={"action": "cancel", "subscription": stranger.id})
    assert not sandbox.api.subscriptions.retrieve(stranger.id).cancel_at_period_end


def test_invoice_page_and_pdf(sandbox: Driver) -> None:
    customer = sandbox.customer()
    sandbox.subscribe(customer.id, sandbox.price(1200).id)
    sandbox.control(f"customers/{customer.id}/fail_next", payments=1)
    sandbox.advance(days=31, seconds=3600)
    invoice = sandbox.api.invoices.list().data[0]
    url, pdf = str(invoice.hosted_invoice_url), sandbox.http.get(str(invoice.invoice_pdf))
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-1.4")
    assert b"$12.00" in pdf.content
    assert "Pay this invoice" in sandbox.http.get(url).text
    assert "insufficient" in sandbox.http.post(url, data={**FORM, "number": "4000000000009995"}).text
    sandbox.http.post(url, data=FORM)
    assert sandbox.api.invoices.retrieve(str(invoice.id)).status == "paid"
    assert "Pay this invoice" not in sandbox.http.get(url).text


def test_console(sandbox: Driver) -> None:
    customer = sandbox.customer()
    subscription = sandbox.subscribe(customer.id, sandbox.price(1200).id)
    for path in (
        "",
        "console/events",
        "console/deliveries",
        "console/kinds/subscription",
        f"console/objects/{subscription.id}",
    ):
        assert sandbox.http.get(f"/_sandbox/{path}").status_code == 200, path
    before = sandbox.now()
    sandbox.http.post("/_sandbox/console/act", data={"action": "advance", "days": "2"})
    assert sandbox.now() == before + 2 * DAY
    sandbox.http.post("/_sandbox/console/act", data={"action": "next"})
    assert sandbox.now() == before + 31 * DAY
    charge = sandbox.api.charges.list().data[0]
    sandbox.http.post("/_sandbox/console/act", data={"action": "refund", "id": charge.id})
    assert sandbox.api.charges.retrieve(charge.id).refunded
    again = sandbox.http.post("/_sandbox/console/act", data={"action": "refund", "id": charge.id})
    assert again.status_code == 400


def test_hostile_text_is_escaped(sandbox: Driver) -> None:
    product = sandbox.api.products.create(params={"name": "<script>alert(1)</script>"})
    price = sandbox.api.prices.create(
        params={
            "product": product.id,
            "currency": "usd",
            "unit_amount": 100,
            "recurring": {"interval": "month"},
        }
    )
    session = sandbox.api.checkout.sessions.create(
        params={
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": SUCCESS,
        }
    )
    assert "<script>alert" not in sandbox.http.get(str(session.url)).text
    assert "<script>alert" not in sandbox.http.get(f"/_sandbox/console/objects/{product.id}").text
