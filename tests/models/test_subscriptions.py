from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from django_videoq_billing.models import UserSubscription
from tests.factories import make_payment, make_user
from tests.models.rows import DAY, END, START, new_job, new_record, new_reservation, new_subscription

Status = UserSubscription.Status
MOMENT = timedelta(microseconds=1)
GRACE = timedelta(days=3)
GOOD = {Status.ACTIVE, Status.TRIALING}
NEVER = [Status.CANCELLED, Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED, Status.UNPAID, Status.PAUSED]


def subscription(**fields: Any) -> UserSubscription:
    """One that needs no database."""
    return UserSubscription(**{"current_period_start": START, "current_period_end": END, **fields})


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("now", [START, END - MOMENT, END, END + 90 * DAY])
def test_a_status_alone_gives_access_or_not_at_any_time(status: str, now: datetime) -> None:
    """A renewal that is reported late must not block: the end of the period alone takes nothing away."""
    in_grace = status == Status.PAST_DUE and now < START + GRACE
    assert subscription(status=status).gives_access(now, GRACE) is (status in GOOD or in_grace)


@pytest.mark.parametrize("status", sorted(GOOD))
def test_a_cancelled_renewal_gives_access_until_the_end(status: str) -> None:
    ending = subscription(status=status, cancel_at_period_end=True)
    times = [START, END - MOMENT, END, END + DAY]
    assert [ending.gives_access(now, GRACE) for now in times] == [True, True, False, False]
    assert [ending.cancellation_took_effect(now) for now in times] == [False, False, True, True]


def test_a_failed_payment_gives_access_until_the_grace_period_ends() -> None:
    late = subscription(status=Status.PAST_DUE, grace_period_end=END + 3 * DAY)
    times = [START, END, END + 3 * DAY - MOMENT, END + 3 * DAY, END + 9 * DAY]
    assert [late.gives_access(now, GRACE) for now in times] == [True, True, True, False, False]
    assert [late.in_payment_grace(now, GRACE) for now in times] == [True, True, True, False, False]


def test_a_failed_payment_after_a_cancellation_gives_no_grace_past_the_end() -> None:
    late = subscription(status=Status.PAST_DUE, grace_period_end=END + 3 * DAY, cancel_at_period_end=True)
    assert [late.gives_access(now, GRACE) for now in (END - MOMENT, END)] == [True, False]


@pytest.mark.parametrize("status", NEVER)
@pytest.mark.parametrize("cancel", [True, False])
def test_no_other_status_gives_access_whatever_else_is_set(status: str, cancel: bool) -> None:
    fields = {"grace_period_end": END + 9 * DAY, "trial_end": END + 9 * DAY, "cancel_at_period_end": cancel}
    assert not subscription(status=status, **fields).gives_access(START, GRACE)


@pytest.mark.parametrize("status", [*sorted(GOOD), *NEVER])
def test_a_left_over_grace_period_means_nothing(status: str) -> None:
    assert not subscription(status=status, grace_period_end=END).in_payment_grace(START, GRACE)


@pytest.mark.parametrize("status", Status.values)
def test_active_the_predicate_and_active_the_queryset_agree(status: str, db: None) -> None:
    row = new_subscription(status=status)
    row.save()
    assert row.is_active is UserSubscription.objects.active().exists() is (status in GOOD)


@pytest.mark.parametrize(
    ("stripe_id", "cancel", "ours"),
    [
        (None, False, True),
        ("", False, True),
        ("sub_1", False, False),
        (None, True, False),
        ("sub_1", True, False),
    ],
)
def test_whose_the_period_is(stripe_id: str | None, cancel: bool, ours: bool) -> None:
    row = subscription(stripe_subscription_id=stripe_id, cancel_at_period_end=cancel)
    assert row.period_is_ours is ours


def test_the_anchor_is_the_start_unless_told(db: None) -> None:
    row = new_subscription()
    row.save()
    assert row.period_anchor == START
    row = new_subscription(period_anchor=START - DAY)
    row.save()
    assert row.period_anchor == START - DAY


def test_deleting_a_user_takes_everything_but_the_ledger(db: None) -> None:
    user = make_user()
    record = new_record(user=user)
    rows = [new_subscription(user=user), record, new_reservation(record=record), new_job(user=user)]
    for row in rows:
        row.save()
    payment = make_payment(user=user)
    user.delete()
    assert [type(row).objects.filter(pk=row.pk).exists() for row in rows] == [False] * 4  # type: ignore[attr-defined]
    payment.refresh_from_db()
    assert payment.user is None


def test_every_row_has_a_name(db: None) -> None:
    user = make_user(username="ada")
    record = new_record(user=user)
    rows = [new_subscription(user=user), record, new_reservation(record=record), new_job(user=user)]
    for row in rows:
        row.save()
    assert str(rows[0]).startswith("ada - Plan ")
    assert [str(row) for row in rows[1:3]] == ["ada, 2026-03-01", "1 video (held)"]
    assert str(rows[3]).endswith("(pending)")
    payment = make_payment()
    assert payment.user is not None
    payment.user.delete()
    payment.refresh_from_db()
    assert str(payment) == "$12.00, subscription payment (succeeded)"
