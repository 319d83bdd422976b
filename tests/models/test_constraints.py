"""What must not be stored: refused by the database, and by `full_clean` in words for people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction

from django_videoq_billing.models import (
    PaymentTransaction,
    SubscriptionPlan,
    TranscriptionJob,
    UsageReservation,
    UsageSettlement,
)
from tests.databases import ON_MARIADB
from tests.factories import make_payment, make_plan
from tests.models.rows import (
    DAY,
    END,
    START,
    new_alert,
    new_allowance,
    new_correction,
    new_day_of_money,
    new_job,
    new_notification,
    new_plan,
    new_record,
    new_refusal,
    new_reservation,
    new_subscription,
)

pytestmark = pytest.mark.django_db


def again(first: models.Model, **changes: Any) -> models.Model:
    """Save a row and return a second one like it."""
    if first.pk is None or first._state.adding:
        first.save()
    second = type(first).objects.get(pk=first.pk)  # type: ignore[attr-defined]
    second.pk, second._state.adding = None, True
    if isinstance(second._meta.pk, models.UUIDField):
        second.pk = second._meta.pk.get_default()
    for name, value in changes.items():
        setattr(second, name, value)
    return second  # type: ignore[no-any-return]


CASES: dict[str, Callable[[], models.Model]] = {
    "vqb_plan_price_not_negative": lambda: new_plan(price_cents=-1),
    "vqb_plan_video_limit_not_negative": lambda: new_plan(video_limit=-1),
    "vqb_plan_minutes_not_negative": lambda: new_plan(transcription_limit_minutes=-1),
    "vqb_plan_trial_days_not_negative": lambda: new_plan(trial_days=-1),
    "vqb_plan_interval_known": lambda: new_plan(interval="week"),
    "vqb_plan_paid_plan_limits_something": lambda: new_plan(price_cents=1, video_limit=None),
    "vqb_subscription_period_ends_after_start": lambda: new_subscription(current_period_end=START),
    "vqb_subscription_pending_plan_has_date": lambda: new_subscription(pending_plan=make_plan()),
    "vqb_refusal_once_an_hour": lambda: again(new_refusal()),
    "vqb_refusal_amount_positive": lambda: new_refusal(amount=0),
    "vqb_usage_one_record_per_period": lambda: again(new_record()),
    "vqb_usage_videos_not_negative": lambda: new_record(video_count=-1),
    "vqb_usage_seconds_not_negative": lambda: new_record(transcription_seconds=-1),
    "vqb_usage_period_ends_after_start": lambda: new_record(billing_period_end=START),
    "vqb_reservation_key_once_per_user_and_metric": lambda: again(new_reservation(key="k")),
    "vqb_reservation_amount_positive": lambda: new_reservation(amount=0),
    "vqb_job_one_live_or_completed_per_video": lambda: again(new_job()),
    "vqb_job_cost_not_negative": lambda: new_job(cost_cents=Decimal("-0.0001")),
    "vqb_job_duration_not_negative": lambda: new_job(duration_seconds=-1),
    "vqb_payment_once_per_object_and_state": lambda: again(make_payment()),
    "vqb_notification_once_per_fact": lambda: again(new_notification(), message_id=uuid.uuid4()),
    "vqb_alert_once_per_threshold": lambda: again(new_alert()),
    "vqb_alert_period_ends_after_start": lambda: new_alert(period_end=START),
    "vqb_extra_amount_positive": lambda: new_allowance(amount=0),
    "vqb_extra_has_reason": lambda: new_allowance(reason=""),
    "vqb_correction_changes_something": lambda: new_correction(after=3),
    "vqb_correction_has_reason": lambda: new_correction(reason=""),
    "vqb_money_once_per_day_and_currency": lambda: again(new_day_of_money()),
}
MORE_CASES: dict[str, Callable[[], models.Model]] = {
    "a pending date without a plan": lambda: new_subscription(pending_plan_effective_at=END),
    "a period that ends before it starts": lambda: new_subscription(current_period_end=START - DAY),
    "two plans of one slug": lambda: new_plan(slug=make_plan().slug),
    "two plans of one name": lambda: new_plan(name=make_plan().name),
    "two plans of one price": lambda: new_plan(
        stripe_price_id=make_plan(stripe_price_id="price_1").stripe_price_id
    ),
    "two subscriptions of one user": lambda: again(new_subscription()),
    "a negative estimate": lambda: new_job(estimated_seconds=-1),
}
# MariaDB has columns that hold no negative number at all, and they say so before the constraint is looked at.
UNSIGNED = {
    "vqb_plan_trial_days_not_negative",
    "vqb_usage_videos_not_negative",
    "vqb_usage_seconds_not_negative",
    "vqb_job_duration_not_negative",
    "a negative estimate",
}


def test_every_constraint_has_a_case() -> None:
    ours = apps.get_app_config("videoq_billing").get_models()
    assert {constraint.name for model in ours for constraint in model._meta.constraints} == set(CASES)


@pytest.mark.parametrize("case", [*CASES, *MORE_CASES])
def test_the_database_refuses(case: str) -> None:
    row = {**CASES, **MORE_CASES}[case]()
    refusal = DataError if ON_MARIADB and case in UNSIGNED else IntegrityError
    with pytest.raises(refusal), transaction.atomic():
        row.save()
    assert not row._meta.default_manager.filter(pk=row.pk).exists() or row._state.adding  # type: ignore[union-attr]


@pytest.mark.parametrize("case", [*CASES, *MORE_CASES])
def test_full_clean_says_it_in_words(case: str) -> None:
    row = {**CASES, **MORE_CASES}[case]()
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert all("vqb_" not in sentence and sentence.endswith(".") for sentence in caught.value.messages)


def test_valid_rows_are_valid() -> None:
    for row in (
        new_plan(),
        new_plan(name="A", slug="a", price_cents=1, video_limit=0),
        new_plan(name="B", slug="b", price_cents=1, video_limit=None, transcription_limit_minutes=0),
        new_plan(name="C", slug="c", video_limit=None),
        new_subscription(),
        new_subscription(pending_plan=make_plan(), pending_plan_effective_at=END),
        new_record(),
        new_reservation(),
        new_job(),
        new_notification(),
        new_alert(),
        new_allowance(),
        new_correction(),
        new_refusal(),
    ):
        row.full_clean()
        row.save()


def test_keys_are_unique_per_user_and_metric_only() -> None:
    new_reservation(key="k").save()
    new_reservation(key="k").save()  # another user
    first = new_reservation(key="k")
    first.save()
    new_reservation(record=first.record, metric="transcription", key="k").save()
    for _ in range(2):
        new_reservation(record=first.record, key=None).save()


@pytest.mark.parametrize("other", ["K", "k ", "ḱ"])
def test_keys_and_ids_are_compared_letter_by_letter(other: str) -> None:
    """MariaDB takes each of these for a "k" unless it is told not to."""
    kept = new_reservation(key="k")
    kept.save()
    new_reservation(record=kept.record, key=other).save()
    for object_id in ("k", other):
        new_job(object_id=object_id).save()
    for price in ("k", other):
        make_plan(stripe_price_id=price)
    assert SubscriptionPlan.objects.get(stripe_price_id=other).stripe_price_id == other
    assert TranscriptionJob.objects.filter(object_id="k").count() == 1


def test_an_update_past_the_code_meets_the_same_constraint() -> None:
    new_job(status="completed").save()
    new_job(status="failed").save()
    with pytest.raises(IntegrityError), transaction.atomic():
        TranscriptionJob.objects.filter(status="failed").update(status="pending")
    TranscriptionJob.objects.filter(status="completed").update(status="cancelled")
    TranscriptionJob.objects.filter(status="failed").update(status="pending")


@pytest.mark.parametrize("version", [4, 7, 8])
def test_a_hold_may_have_an_id_of_any_kind(version: int) -> None:
    """The Redis store makes ids of version 8, and a store of the host's own may make others.

    MariaDB's own type refuses those of version 8 that go on with 80.
    """
    digits = uuid.uuid4().hex
    given = uuid.UUID(f"{digits[:12]}{version}{digits[13:16]}80{digits[18:]}")
    new_reservation(id=given).save()
    new_job(reservation_id=given).save()
    UsageSettlement.objects.create(reservation_id=given, shard=1, state="committed")
    assert UsageReservation.objects.get(pk=given).pk == given
    assert TranscriptionJob.objects.get(reservation_id=given).reservation_id == given
    assert UsageSettlement.objects.get(pk__in=[given]).pk == given


@pytest.mark.parametrize("second", TranscriptionJob.Status.values)
@pytest.mark.parametrize("first", TranscriptionJob.Status.values)
def test_one_live_or_completed_job_per_video(first: str, second: str) -> None:
    new_job(status=first).save()
    over = {"failed", "cancelled"}
    if first in over or second in over:
        new_job(status=second).save()
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        new_job(status=second).save()


def test_a_later_state_of_a_payment_is_a_further_line() -> None:
    first = make_payment(status="pending")
    again(first, status="succeeded").save()
    again(first, type="subscription_refund").save()
    assert PaymentTransaction.objects.filter(stripe_object_id=first.stripe_object_id).count() == 3
