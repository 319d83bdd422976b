"""No answer carries a Stripe id, whatever the rows hold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import URLS, ask, client_of
from tests.api.contract import LOCAL
from tests.factories import make_payment, make_plan, subscribed

STRIPE_ID = re.compile(
    r"\b(cus|sub|price|prod|in|evt|ch|pi|re|du|dp|cs|pm|si|acct)_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6,}"
)


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
