from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.types import Metric
from tests.factories import make_payment, make_plan, subscribed
from tests.models.rows import END, new_plan

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("currency", "usd", "Use an ISO 4217 code such as USD or JPY."),
        ("currency", "US", "Use an ISO 4217 code such as USD or JPY."),
        ("currency", "ZZZ", "Use an ISO 4217 code such as USD or JPY."),
        ("features", "one", "Use a list of texts."),
        ("features", {"a": "b"}, "Use a list of texts."),
        ("features", ["a", 1], "Use a list of texts."),
        ("feature_flags", ["hd"], "Use an object from flag name to value."),
        ("feature_flags", 1, "Use an object from flag name to value."),
    ],
)
def test_clean_refuses_in_words(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        new_plan(**{field: value}).full_clean()
    assert caught.value.message_dict == {field: [sentence]}


def test_clean_names_every_wrong_field_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        new_plan(currency="usd", features=[1], feature_flags=[1], price_cents=-1).full_clean()
    assert set(caught.value.message_dict) >= {"currency", "features", "feature_flags", "price_cents"}


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "EUR"])
def test_clean_accepts_currencies(currency: str) -> None:
    new_plan(currency=currency).full_clean()


def test_a_plan_in_use_cannot_be_deleted() -> None:
    plan = make_plan()
    subscribed(plan)
    with pytest.raises(ProtectedError):
        plan.delete()
    with pytest.raises(ProtectedError):
        SubscriptionPlan.objects.filter(pk=plan.pk).delete()
    assert SubscriptionPlan.objects.filter(pk=plan.pk).exists()


def test_a_plan_that_somebody_waits_for_cannot_be_deleted() -> None:
    pending = make_plan()
    subscribed(make_plan(), pending_plan=pending, pending_plan_effective_at=END)
    with pytest.raises(ProtectedError):
        pending.delete()


def test_a_plan_nobody_has_can_be_deleted_and_its_payments_stay() -> None:
    plan = make_plan()
    payment = make_payment(plan=plan)
    plan.delete()
    payment.refresh_from_db()
    assert (payment.plan, payment.amount_cents) == (None, 1200)


def test_listed_plans_are_active_and_public_in_their_order() -> None:
    make_plan(is_active=False)
    make_plan(is_public=False)
    last, first = make_plan(sort_order=2), make_plan(sort_order=1)
    twin = make_plan(sort_order=1)
    assert list(SubscriptionPlan.objects.listed()) == [first, twin, last]


def test_limits_by_metric() -> None:
    plan = new_plan(video_limit=5, transcription_limit_minutes=60)
    assert [plan.limit(metric) for metric in Metric] == [5, 3600]
    plan = new_plan(video_limit=None, transcription_limit_minutes=None)
    assert [plan.limit(metric) for metric in Metric] == [None, None]
    assert new_plan(transcription_limit_minutes=0).limit(Metric.TRANSCRIPTION) == 0


def test_interval_in_months_and_free_of_charge() -> None:
    assert [new_plan(interval=interval).months for interval in ("month", "year")] == [1, 12]
    assert (new_plan().is_free, new_plan(price_cents=1).is_free) == (True, False)


def test_price_text() -> None:
    assert new_plan(price_cents=1480, currency="JPY").price_text("ja") == "￥1,480"
    assert str(new_plan(price_cents=1200)) == "Plus ($12.00)"
