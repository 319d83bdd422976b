"""What is not true any more when it would be sent is not sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from django_videoq_billing.models import (
    Notification,
    PaymentTransaction,
    SubscriptionPlan,
    UsageAlert,
    UserSubscription,
)
from django_videoq_billing.services.notifications import send_due
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_payment
from tests.notifications import variants
from tests.notifications.variants import PERIOD_END

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("billing", "clock")]
State = Notification.State
Status = UserSubscription.Status
Make = Callable[[], Notification]


def sent(make: Make, **since: Any) -> str:
    """Change the subscription since, send, and return the subject, or why nothing was sent."""
    row = make()
    row.save()
    if since:
        UserSubscription.objects.filter(user=row.user).update(**since)
    send_due()
    row.refresh_from_db()
    assert row.state == (State.SENT if mail.outbox else State.SKIPPED), row.error
    return str(mail.outbox[0].subject) if mail.outbox else row.error


def premium_id() -> int:
    return variants.premium().pk


@pytest.mark.parametrize(
    ("make", "since", "told"),
    [
        (variants.upgrade, {}, "Your plan is now Standard"),
        (variants.upgrade, {"status": Status.CANCELLED}, "another plan"),
        (variants.downgrade_done, {}, "Your plan is now Standard"),
        (variants.downgrade_done, {"status": Status.UNPAID}, "another plan"),
        (variants.reactivated, {}, "Standard goes on"),
        (variants.reactivated, {"cancel_at_period_end": True}, "cancelled again"),
        (variants.downgrade_scheduled, {}, "Your plan changes to Standard on April 1, 2026"),
        (
            variants.downgrade_scheduled,
            {"pending_plan": None, "pending_plan_effective_at": None},
            "not scheduled any more",
        ),
        (
            variants.downgrade_scheduled,
            {"pending_plan_effective_at": PERIOD_END + timedelta(days=9)},
            "moved to another day",
        ),
        (variants.cancellation, {}, "Standard ends on April 1, 2026"),
        (variants.cancellation, {"cancel_at_period_end": False}, "undone"),
        (variants.ended, {}, "Standard has ended"),
        (variants.ended, {"status": Status.ACTIVE}, "subscribed again"),
        (variants.trial_ending, {}, "Your trial of Standard ends on March 13, 2026"),
        (variants.trial_ending, {"status": Status.ACTIVE}, "The trial is over"),
        (variants.trial_ending, {"trial_end": PERIOD_END}, "at another time"),
        (variants.trial_ending, {"cancel_at_period_end": True}, "Nothing will be charged"),
    ],
)
def test_the_subscription_since(make: Make, since: dict[str, Any], told: str) -> None:
    assert told in sent(make, **since)


@pytest.mark.parametrize("make", [variants.upgrade, variants.downgrade_done, variants.reactivated])
def test_another_plan_since(make: Make) -> None:
    assert "another plan" in sent(make, plan_id=premium_id())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (variants.downgrade_scheduled, "taken place"),
        (variants.cancellation, "taken effect"),
        (variants.trial_ending, "another time"),
        (lambda: variants.warning("video", 80, 41), "It is over"),
    ],
)
def test_too_late(make: Make, reason: str, clock: Any) -> None:
    def late() -> Notification:
        row = make()
        clock.move_to(PERIOD_END)
        return row

    assert reason in sent(late)


def test_a_plan_that_was_deleted() -> None:
    row = variants.ended()
    row.facts = {**row.facts, "plan": "gone"}
    assert "does not exist" in sent(lambda: row)


def test_a_user_whose_subscription_was_deleted() -> None:
    def make() -> Notification:
        row = variants.upgrade()
        UserSubscription.objects.filter(user=row.user).delete()
        return row

    assert "no subscription" in sent(make)


# Money


def test_a_refund_that_failed_at_the_bank() -> None:
    def make() -> Notification:
        row = variants.refund()
        line = PaymentTransaction.objects.get(pk=row.facts["transaction"])
        make_payment(
            user=row.user,
            stripe_object_id=line.stripe_object_id,
            type="subscription_refund",
            status="failed",
            amount_cents=1480,
            currency="JPY",
        )
        return row

    assert "failed at the bank" in sent(make)


def test_a_refund_of_somebody_else() -> None:
    def make() -> Notification:
        row = variants.refund()
        row.facts = {"transaction": make_payment().pk}
        return row

    assert "not the user's" in sent(make)


# Usage


def warning(metric: str = "video", threshold: int = 80, used: int = 41) -> Notification:
    return variants.warning(metric, threshold, used)


def raise_limit(to: int) -> None:
    SubscriptionPlan.objects.filter(slug="standard").update(video_limit=to)


def test_a_warning_has_the_numbers_of_now() -> None:
    def make() -> Notification:
        row = warning()
        UsageTracker.increment_video_count(row.user, 2)
        return row

    assert sent(make) == "You have used 86% of your videos"
    assert "You have used 43 of 50 videos in this period (86%)." in mail.outbox[0].body


def test_a_warning_that_a_raised_limit_has_overtaken() -> None:
    def make() -> Notification:
        row = warning()
        raise_limit(100)
        return row

    assert sent(make) == "There is room again."


def test_a_warning_that_a_higher_one_has_overtaken() -> None:
    def make() -> Notification:
        row = warning()
        higher = UsageAlert.objects.get()
        higher.pk, higher.threshold = None, 90
        higher.save()
        return row

    assert "higher threshold" in sent(make)


def test_a_higher_one_at_a_lower_limit_has_overtaken_nothing() -> None:
    """It was told of 40 videos; then the limit was raised to 50, and 41 are 80 % of that."""

    def make() -> Notification:
        row = warning()
        higher = UsageAlert.objects.get()
        higher.pk, higher.threshold, higher.limit = None, 100, 40
        higher.save()
        return row

    assert sent(make) == "You have used 82% of your videos"


def test_an_alert_that_was_deleted() -> None:
    def make() -> Notification:
        row = warning()
        UsageAlert.objects.all().delete()
        return row

    assert "alert does not exist" in sent(make)


def test_a_plan_without_a_limit_has_nothing_to_warn_of() -> None:
    assert sent(warning, plan_id=premium_id()) == "There is room again."
    assert timezone.now() < PERIOD_END
