"""What is announced by signal is also written to the log, after the commit."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save

from django_videoq_billing import signals
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UsageAlert, UserSubscription

logger = logging.getLogger("django_videoq_billing")

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status


def connect() -> None:
    signals.subscription_activated.connect(activated, dispatch_uid="videoq_billing.log_activated")
    signals.subscription_cancelled.connect(cancelled, dispatch_uid="videoq_billing.log_cancelled")
    signals.plan_changed.connect(changed, dispatch_uid="videoq_billing.log_plan_changed")
    signals.quota_threshold_reached.connect(threshold_reached, dispatch_uid="videoq_billing.log_threshold")
    post_save.connect(line_saved, sender=PaymentTransaction, dispatch_uid="videoq_billing.log_line")


def activated(subscription: UserSubscription, **kwargs: Any) -> None:
    extra = {"user_id": str(subscription.user_id), "plan": subscription.plan.slug}
    logger.info("subscription_activated", extra=extra)


def cancelled(subscription: UserSubscription, **kwargs: Any) -> None:
    extra = {"user_id": str(subscription.user_id), "plan": subscription.plan.slug}
    logger.info("subscription_cancelled", extra=extra)


def changed(subscription: UserSubscription, previous_plan: SubscriptionPlan, **kwargs: Any) -> None:
    user_id, plan, previous = str(subscription.user_id), subscription.plan.slug, previous_plan.slug
    logger.info("plan_changed", extra={"user_id": user_id, "plan": plan, "previous_plan": previous})


def threshold_reached(alert: UsageAlert, **kwargs: Any) -> None:
    extra = {"user_id": str(alert.user_id), "metric": str(alert.metric), "threshold": alert.threshold}
    logger.info("usage_threshold_reached", extra=extra)


def line_saved(instance: PaymentTransaction, created: bool, using: str, **kwargs: Any) -> None:
    if created:
        transaction.on_commit(partial(line_added, instance), using=using, robust=True)


def line_added(line: PaymentTransaction) -> None:
    """A refund that failed at the bank, and a dispute that was won, are lines of their own."""
    extra = {
        "user_id": str(line.user_id),
        "type": str(line.type),
        "status": str(line.status),
        "amount": line.amount_cents,
        "currency": line.currency,
    }
    if line.type == Type.DISPUTE:
        logger.warning("payment_disputed", extra=extra)
    elif line.type == Type.SUBSCRIPTION_REFUND:
        logger.info("payment_refunded", extra=extra)
    elif line.status == Status.FAILED:
        logger.warning("payment_failed", extra=extra)
    else:
        logger.info("payment_succeeded", extra=extra)
