"""What the people who support users do by hand. Each move has a reason and an author, and can be looked up."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from django_videoq_billing.exceptions import Conflict, InvalidRequest
from django_videoq_billing.models import ExtraAllowance, UsageCorrection, UserSubscription
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.services import extra_allowances, usage_tracker
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.usage_tracker import UsageTracker, check_amount, read_metric
from django_videoq_billing.types import Metric

logger = logging.getLogger("django_videoq_billing")


def grant_allowance(
    user: AbstractBaseUser,
    metric: Metric | str,
    amount: int,
    *,
    reason: str,
    author: AbstractBaseUser | None,
    expires_at: datetime | None = None,
) -> ExtraAllowance:
    """Let the user use `amount` more than the plan's limit, until the end of the running period or `expires_at`.

    Counts from the next request; a plan without a limit stays without one. Not idempotent: two grants add up.
    Raises InvalidRequest for an amount that makes no sense, no reason, or a moment that has passed.
    """
    metric = read_metric(metric)
    check_amount(amount)
    period_end = entitlement_for(user).period.end  # which also gives a plan to whoever has none yet
    until = expires_at or period_end
    if until <= timezone.now():
        raise InvalidRequest.in_the_past()
    with transaction.atomic():
        allowance = ExtraAllowance.objects.create(
            user_id=user.pk,
            metric=metric,
            amount=amount,
            reason=_reason(reason),
            author_id=None if author is None else author.pk,
            expires_at=until,
        )
        extra_allowances.refresh(user.pk)
    logger.info("allowance_granted", extra={"user_id": str(user.pk), "metric": str(metric), "amount": amount})
    return allowance


def revoke_allowance(allowance: ExtraAllowance) -> bool:
    """Take an allowance back; return False where it was over already. What was used stays counted."""
    with transaction.atomic():
        running = ExtraAllowance.objects.running(timezone.now()).filter(pk=allowance.pk)
        if not running.update(revoked_at=timezone.now()):
            return False
        extra_allowances.refresh(allowance.user_id)
    logger.info("allowance_revoked", extra={"user_id": str(allowance.user_id), "metric": allowance.metric})
    return True


@again_after_deadlock()
def correct_usage(
    user: AbstractBaseUser, metric: Metric | str, used: int, *, reason: str, author: AbstractBaseUser | None
) -> UsageCorrection:
    """Set the counter of the running period to `used` (0 resets it), and write down who did it and why.

    It is moved by the difference, so what is counted at the same moment is not lost. Raises Conflict where the
    counter stands there already.
    """
    metric = read_metric(metric)
    if used != 0:
        check_amount(used)
    reason = _reason(reason)
    entitlement_for(user)
    with transaction.atomic():
        # One correction at a time: of two that saw the same counter each would move it by the whole difference.
        UserSubscription.objects.select_for_update().get(user_id=user.pk)
        report = UsageTracker.report(user)
        before = report.counters.used(metric)
        if before == used:
            raise Conflict.nothing_to_correct()
        correction = UsageCorrection.objects.create(
            user_id=user.pk,
            metric=metric,
            period_start=report.period.start,
            before=before,
            after=used,
            reason=reason,
            author_id=None if author is None else author.pk,
        )
        usage_tracker.add(user, metric, used - before)
    logger.info(
        "usage_corrected", extra={"user_id": str(user.pk), "metric": str(metric), "amount": used - before}
    )
    return correction


def extend_grace(user: AbstractBaseUser, until: datetime) -> UserSubscription:
    """Let a plan whose payment failed go on until then, at least; Stripe's own retries go on as they do.

    Calling it twice is safe. It holds until the payment is made. Raises Conflict where no payment is open.
    """
    with transaction.atomic():
        row = UserSubscription.objects.select_for_update().get(user_id=user.pk)
        if row.status != row.Status.PAST_DUE:
            raise Conflict.nothing_overdue()
        if until <= timezone.now():
            raise InvalidRequest.in_the_past()
        row.grace_extended_until = until
        row.grace_period_end = max(filter(None, [row.grace_period_end, until]))
        row.save(update_fields=["grace_extended_until", "grace_period_end", "updated_at"])
    logger.info("grace_extended", extra={"user_id": str(user.pk)})
    return row


def _reason(text: str) -> str:
    if not text.strip():
        raise InvalidRequest.no_reason()
    return text.strip()[:500]
