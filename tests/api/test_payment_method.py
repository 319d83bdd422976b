"""The card that pays next, from dj-stripe's tables, without a request to Stripe."""

from __future__ import annotations

from typing import Any

import pytest

from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.stripe_mirror import mirror_customer
from tests.api.clients import URLS, client_of
from tests.api.contract import PARTS
from tests.api.shop import settings_for
from tests.factories import make_user

URL = URLS["billing/payment-method"]
NOTHING = dict.fromkeys(PARTS["PaymentMethod"])


@pytest.fixture
def mirrored(customer: Any, settings: Any) -> Any:
    """A paying user whom dj-stripe's tables know; from here on nobody answers at Stripe's address."""
    client_of(customer).post(URLS["billing/subscription/sync"])
    mirror_customer(str(UserSubscription.objects.get(user=customer).stripe_customer_id))
    settings.VIDEOQ_BILLING = settings_for("http://127.0.0.1:9")
    return customer


def test_the_card_is_told_and_nothing_else(mirrored: Any) -> None:
    response = client_of(mirrored).get(URL)
    assert response.json() == {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
    assert list(response.json()) == PARTS["PaymentMethod"]
    assert "private" in response.headers["Cache-Control"]


def test_nobody_sees_anothers(mirrored: Any) -> None:
    assert client_of(make_user()).get(URL).json() == NOTHING


def test_before_the_mirror_knows_it_nothing_is_told(mirrored: Any) -> None:
    UserSubscription.objects.filter(user=mirrored).update(stripe_customer_id="cus_nobody_mirrored")
    assert client_of(mirrored).get(URL).json() == NOTHING
