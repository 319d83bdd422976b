from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import stripe
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.core.checks import ERROR
from django.db.models import QuerySet
from django.utils import timezone

from django_videoq_billing import checks
from django_videoq_billing.models import PaymentTransaction, WebhookEvent
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.services.stripe_mirror import default_card, mirror_customer, mirror_due
from django_videoq_billing.webhooks import djstripe_bridge, inbox
from tests.stripe_site import OperatorsDriver, receive, row_of

NOWHERE = "http://127.0.0.1:9"


def mirrored(model: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model("djstripe", model)._default_manager.all()
    return rows


def customer_id(user: User) -> str:
    return str(row_of(user).stripe_customer_id)


def test_the_mirror_has_what_stripe_has(stripe_account: OperatorsDriver, customer: User) -> None:
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    receive(stripe_account)
    inbox.process_due()
    assert mirror_due() == WebhookEvent.objects.count()
    assert not WebhookEvent.objects.filter(mirrored_at=None).exists()
    assert_equal_to_stripe(stripe_account)


def test_a_rebuilt_mirror_has_the_same(stripe_account: OperatorsDriver, customer: User) -> None:
    [charge] = stripe_account.api.charges.list()
    stripe_account.api.refunds.create(params={"charge": charge.id, "amount": 500})
    stripe_account.http.post("/_sandbox/disputes", json={"charge": charge.id, "reason": "fraudulent"})
    for _ in range(2):
        stripe_mirror.mirror_catalog()
        mirror_customer(customer_id(customer))
        assert_equal_to_stripe(stripe_account)


def assert_equal_to_stripe(account: OperatorsDriver) -> None:
    """Every row holds the object as Stripe has it now, and no object is missing."""
    kinds = ["customer", "product", "price", "subscription", "invoice", "payment_method", "charge"]
    for kind in [*kinds, "payment_intent", "refund", "dispute"]:
        collection = getattr(account.api, f"{kind}s")
        stored = account.http.get(f"/_sandbox/objects/{kind}").json()["objects"]
        assert stored, kind
        rows = {row.id: row.stripe_data for row in mirrored(stripe_mirror.MODELS[kind])}
        assert rows.keys() == {one["id"] for one in stored}, kind
        for object_id, row in rows.items():
            assert row.items() >= comparable(collection.retrieve(object_id), row).items(), kind


def comparable(stripe_object: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what dj-stripe has expanded."""
    plain = json.loads(json.dumps(stripe_object.to_dict(), default=str))
    return {name: value for name, value in plain.items() if not isinstance(row[name], dict | list)}


def test_trouble_in_the_mirror_is_no_trouble_for_billing(
    stripe_account: OperatorsDriver, customer: User, settings: Any
) -> None:
    settings.STRIPE_API_HOST = NOWHERE
    receive(stripe_account)
    count = inbox.process_due()
    assert mirror_due() == count
    assert (row_of(customer).plan.slug, PaymentTransaction.objects.count()) == ("standard", 1)
    assert not mirrored("Customer").exists()
    event = WebhookEvent.objects.filter(type="invoice.paid").get()
    assert (event.state, event.mirror_attempts, event.mirrored_at) == ("processed", 1, None)
    assert event.error.startswith("Mirror: ImproperlyConfigured: dj-stripe would talk to another server")
    assert settings.VIDEOQ_BILLING["STRIPE_SECRET_KEY"] not in event.error

    settings.STRIPE_API_HOST = stripe_account.url
    assert mirror_due() == 0, "it is not tried again at once"
    with time_machine.travel(timezone.now() + timedelta(minutes=1, seconds=1)):
        assert mirror_due() == count
    event.refresh_from_db()
    assert (event.mirrored_at is not None, event.error) == (True, "")
    assert_mirrored_once(customer)


def assert_mirrored_once(customer: User) -> None:
    assert [row.id for row in mirrored("Customer")] == [customer_id(customer)]
    assert mirrored("Subscription").count() == 1


def test_one_poisoned_event_does_not_stop_the_others(stripe_account: OperatorsDriver, customer: User) -> None:
    receive(stripe_account)
    inbox.process_due()
    stripe_account.http.post("/_sandbox/outage", json={"mode": "500", "requests": 1, "path": "/v1/charges"})
    mirror_due()
    waiting = WebhookEvent.objects.filter(mirrored_at=None)
    assert [event.payload["data"]["object"]["object"] for event in waiting] == ["charge"]
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert mirror_due() == 1
    assert not waiting.all().exists()


def test_what_billing_has_not_done_is_not_mirrored(stripe_account: OperatorsDriver, customer: User) -> None:
    receive(stripe_account)
    assert mirror_due() == 0


def test_two_workers_do_not_take_the_same_event(stripe_account: OperatorsDriver, customer: User) -> None:
    receive(stripe_account)
    inbox.process_due()
    taken = stripe_mirror._claim()
    assert taken is not None
    assert mirror_due() == WebhookEvent.objects.count() - 1
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        assert mirror_due() == 1, "a worker that died loses it"


def test_what_was_deleted_at_stripe(stripe_account: OperatorsDriver, customer: User) -> None:
    product = stripe_account.api.products.create(params={"name": "Mistake"})
    receive(stripe_account)
    inbox.process_due()
    mirror_due()
    stripe_account.api.products.delete(product.id)
    stripe_account.api.customers.delete(customer_id(customer))
    receive(stripe_account)
    inbox.process_due()
    mirror_due()
    assert not mirrored("Product").filter(id=product.id).exists()
    assert mirrored("Customer").get().stripe_data["deleted"] is True
    assert default_card(customer_id(customer))["last4"] is None


def test_an_old_event_of_a_customer_who_is_gone(stripe_account: OperatorsDriver, customer: User) -> None:
    stripe_account.api.customers.delete(customer_id(customer))
    receive(stripe_account)
    inbox.process_due()
    mirror_due()
    assert not WebhookEvent.objects.filter(mirrored_at=None).exists()
    assert mirrored("Customer").get().stripe_data["deleted"] is True
    assert mirrored("Invoice").count() == 1


def test_without_djstripe_nothing_happens(
    stripe_account: OperatorsDriver, customer: User, settings: Any
) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "djstripe"]
    receive(stripe_account)
    inbox.process_due()
    assert mirror_due() == 0
    mirror_customer(customer_id(customer))
    stripe_mirror.mirror_catalog()
    djstripe_bridge.connect()
    assert default_card(customer_id(customer)) == stripe_mirror.NO_CARD
    assert row_of(customer).plan.slug == "standard"


def test_e005_and_w003(stripe_account: OperatorsDriver, settings: Any) -> None:
    assert checks.djstripe_settings(None) == []
    settings.STRIPE_API_HOST = NOWHERE
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_SECRET_KEY": "sk_test_short"}
    found = [(one.id, one.level >= ERROR) for one in checks.djstripe_settings(None)]
    assert found == [("videoq_billing.E005", True), ("videoq_billing.W003", False)]
    settings.VIDEOQ_BILLING = {}
    assert checks.djstripe_settings(None) == [], "Stripe is not used"


def test_the_key_is_not_kept_with_the_error(
    stripe_account: OperatorsDriver, customer: User, settings: Any
) -> None:
    receive(stripe_account)
    inbox.process_due()
    settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_SECRET_KEY": "sk_test_for_tests"}
    mirror_due()
    errors = WebhookEvent.objects.exclude(error="").values_list("error", flat=True)
    assert errors
    assert not any("sk_test_for_tests" in error for error in errors)


class TestDefaultCard:
    def test_the_card_of_the_subscription_without_any_request(
        self, stripe_account: OperatorsDriver, customer: User, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mirror_customer(customer_id(customer))
        settings.VIDEOQ_BILLING = {**settings.VIDEOQ_BILLING, "STRIPE_API_BASE": NOWHERE}
        monkeypatch.setattr(stripe, "api_base", NOWHERE)
        card = default_card(customer_id(customer))
        assert (card["brand"], card["last4"]) == ("visa", "4242")
        assert card["exp_year"] > 2026
        assert 1 <= card["exp_month"] <= 12

    def test_the_customers_card_where_no_subscription_names_one(
        self, stripe_account: OperatorsDriver, customer: User
    ) -> None:
        method = stripe_account.api.payment_methods.attach(
            "pm_card_mastercard", params={"customer": customer_id(customer)}
        )
        stripe_account.api.customers.update(
            customer_id(customer), params={"invoice_settings": {"default_payment_method": method.id}}
        )
        [subscription] = stripe_account.api.subscriptions.list()
        mirror_customer(customer_id(customer))
        assert default_card(customer_id(customer))["brand"] == "visa"
        stripe_account.api.subscriptions.cancel(subscription.id)
        mirror_customer(customer_id(customer))
        assert default_card(customer_id(customer))["brand"] == "mastercard"

    @pytest.mark.django_db
    def test_nothing_is_known(self) -> None:
        assert set(default_card("cus_unknown").values()) == set(default_card("").values()) == {None}
