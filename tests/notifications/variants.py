"""Every e-mail there is, each in the situations that make its text another one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives

from django_videoq_billing.models import Notification, SubscriptionPlan, UsageAlert, UserSubscription
from django_videoq_billing.services.entitlements import default_plan
from django_videoq_billing.services.notifications.composing import compose, rendered
from django_videoq_billing.services.notifications.payment_messages import OpenPayment
from django_videoq_billing.services.notifications.telling import Message, PlanText
from django_videoq_billing.services.plans import limits_of, price_display
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_payment, make_plan, make_user, subscribed

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
PERIOD_START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD_END = datetime(2026, 4, 1, tzinfo=UTC)
GRACE_END = datetime(2026, 3, 13, 9, 30, tzinfo=UTC)
SITE = {
    "SITE_URL": "https://videos.example.com",
    "SITE_NAME": "VideoQ",
    "UPGRADE_URL": "/plans/",
    "BILLING_URL": "/billing/",
    "EMAIL_FROM": "VideoQ <billing@videos.example.com>",
}

Kind = Notification.Kind


def standard() -> SubscriptionPlan:
    return _plan("standard", 1200, video_limit=50, transcription_limit_minutes=300)


def premium() -> SubscriptionPlan:
    return _plan("premium", 4900, video_limit=None, transcription_limit_minutes=1000)


def _plan(slug: str, price_cents: int, **limits: Any) -> SubscriptionPlan:
    plan = SubscriptionPlan.objects.filter(slug=slug).first()
    return plan or make_plan(name=slug.title(), slug=slug, price_cents=price_cents, **limits)


def customer(plan: SubscriptionPlan, **fields: Any) -> User:
    """Ada, who pays for the plan in March 2026; always the same row, so that signed links stay."""
    user = make_user(pk=4711, username="ada", first_name="Ada", email="ada@example.com")
    values = {
        "current_period_start": PERIOD_START,
        "current_period_end": PERIOD_END,
        "period_anchor": PERIOD_START,
        "stripe_subscription_id": "sub_1",
        **fields,
    }
    return subscribed(plan, user, **values)


def notification(user: User, kind: Notification.Kind, key: str = "1", **facts: Any) -> Notification:
    values = {"message_id": UUID(int=1), "next_attempt_at": NOW, "created_at": NOW}
    return Notification(user=user, kind=kind, key=key, facts=facts, **values)


def upgrade(**fields: Any) -> Notification:
    return notification(customer(standard(), **fields), Kind.UPGRADE_CONFIRMED, plan="standard")


def upgrade_on_trial() -> Notification:
    return upgrade(status=UserSubscription.Status.TRIALING, trial_end=PERIOD_END)


def downgrade_scheduled(videos: int = 0, seconds: int = 0) -> Notification:
    user = customer(premium(), pending_plan=standard(), pending_plan_effective_at=PERIOD_END)
    if videos or seconds:
        UsageTracker.increment_video_count(user, videos)
        UsageTracker.increment_transcription_seconds(user, seconds)
    return notification(user, Kind.DOWNGRADE_SCHEDULED, plan="standard", at=PERIOD_END.isoformat())


def downgrade_done() -> Notification:
    premium()
    facts = {"plan": "standard", "from": "premium"}
    return notification(customer(standard()), Kind.DOWNGRADE_DONE, **facts)


def cancellation(**fields: Any) -> Notification:
    user = customer(standard(), cancel_at_period_end=True, **fields)
    return notification(user, Kind.CANCELLATION_SCHEDULED, at=PERIOD_END.isoformat())


def ended(unpaid: bool = False) -> Notification:
    user = customer(standard(), status=UserSubscription.Status.CANCELLED)
    return notification(user, Kind.CANCELLATION_DONE, plan="standard", unpaid=unpaid)


def reactivated() -> Notification:
    return notification(customer(standard()), Kind.REACTIVATED, plan="standard")


def trial_ending() -> Notification:
    at = NOW + timedelta(days=3)
    user = customer(standard(), status=UserSubscription.Status.TRIALING, trial_end=at)
    return notification(user, Kind.TRIAL_ENDING, at=at.isoformat())


def refund() -> Notification:
    user = customer(standard())
    line = make_payment(
        user=user,
        amount_cents=-1480,
        currency="JPY",
        type="subscription_refund",
        status="refunded",
        created_at=NOW,
    )
    return notification(user, Kind.REFUND, transaction=line.pk)


def warning(metric: str, threshold: int, used: int) -> Notification:
    user = customer(standard())
    if metric == "video":
        UsageTracker.increment_video_count(user, used)
    else:
        UsageTracker.increment_transcription_seconds(user, used)
    limit = 50 if metric == "video" else 300 * 60
    alert = UsageAlert.objects.create(
        user=user,
        metric=metric,
        period_start=PERIOD_START,
        period_end=PERIOD_END,
        threshold=threshold,
        used=used,
        limit=limit,
        created_at=NOW,
    )
    return notification(user, Kind.USAGE_WARNING, str(alert.pk))


def composed(make: Callable[[], Notification]) -> Callable[[], EmailMultiAlternatives]:
    return lambda: compose(make())


def payment(kind: Notification.Kind, **context: Any) -> Callable[[], EmailMultiAlternatives]:
    """With the answer of Stripe given, whose addresses would be others each time; tests/.../test_payment_mails asks."""

    def make() -> EmailMultiAlternatives:
        row = notification(customer(standard()), kind)
        pay_url = "https://invoice.stripe.com/i/acct_1/live_1"
        values = {
            "plan": _text(standard()),
            "after": _text(default_plan()),
            "payment": OpenPayment("$12.00", pay_url, confirm=kind == Kind.PAYMENT_AUTHENTICATION),
            "grace_end": GRACE_END,
            **context,
        }
        return rendered(Message(kind, values), row, row.user, "ada@example.com")

    return make


def _text(plan: SubscriptionPlan) -> PlanText:
    return PlanText(plan.name, price_display(plan), limits_of(plan))


OPEN = OpenPayment("$12.00", "https://invoice.stripe.com/i/acct_1/live_1", confirm=True)
LAST = {"is_reminder": True, "is_last": True}

VARIANTS: dict[str, Callable[[], EmailMultiAlternatives]] = {
    "upgrade_confirmed": composed(upgrade),
    "upgrade_confirmed-trial": composed(upgrade_on_trial),
    "upgrade_confirmed-given": composed(lambda: upgrade(stripe_subscription_id=None)),
    "downgrade_scheduled": composed(downgrade_scheduled),
    "downgrade_scheduled-over": composed(lambda: downgrade_scheduled(62, 25_000)),
    "downgrade_done": composed(downgrade_done),
    "cancellation_scheduled": composed(cancellation),
    "cancellation_scheduled-overdue": composed(
        lambda: cancellation(status=UserSubscription.Status.PAST_DUE, grace_period_end=GRACE_END)
    ),
    "cancellation_done": composed(ended),
    "cancellation_done-unpaid": composed(lambda: ended(unpaid=True)),
    "reactivated": composed(reactivated),
    "trial_ending": composed(trial_ending),
    "refund": composed(refund),
    "payment_failed": payment(Kind.PAYMENT_FAILED),
    "payment_failed-reminder": payment(Kind.PAYMENT_FAILED, is_reminder=True),
    "payment_failed-last": payment(Kind.PAYMENT_FAILED, **LAST),
    "payment_failed-no_grace": payment(Kind.PAYMENT_FAILED, grace_end=None),
    "payment_authentication": payment(Kind.PAYMENT_AUTHENTICATION),
    "payment_authentication-reminder": payment(Kind.PAYMENT_AUTHENTICATION, is_reminder=True),
    "payment_authentication-last": payment(Kind.PAYMENT_AUTHENTICATION, **LAST),
    "grace_ended": payment(Kind.GRACE_ENDED),
    "grace_ended-confirm": payment(Kind.GRACE_ENDED, payment=OPEN),
    "usage_warning-videos-80": composed(lambda: warning("video", 80, 41)),
    "usage_warning-videos-100": composed(lambda: warning("video", 100, 50)),
    "usage_warning-transcription-90": composed(lambda: warning("transcription", 90, 16_500)),
    "usage_warning-transcription-100": composed(lambda: warning("transcription", 100, 18_030)),
}
