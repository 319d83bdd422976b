"""Claim, compose, send, settle: each row of the outbox once, whoever races and however the mail server fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_videoq_billing import instruments
from django_videoq_billing.models import Notification
from django_videoq_billing.models.claims import first_unlocked
from django_videoq_billing.services.notifications.composing import compose
from django_videoq_billing.services.notifications.mail import new_connection
from django_videoq_billing.services.notifications.telling import Outdated
from django_videoq_billing.signals import work_waiting

logger = logging.getLogger("django_videoq_billing")

State = Notification.State

LEASE = timedelta(minutes=5)
RETRY_MINUTES = (1, 5, 15, 60)
MOST_ATTEMPTS = 75  # three days: the last pause repeats
PATIENCE = 3
"""So many failures in a row end a round: the mail server is away, and the rest can wait for it."""
LONGEST_ERROR = 2000


def send_due(limit: int | None = None, *, go_on: Callable[[], bool] = lambda: True) -> int:
    """Send what is due, the longest waiting first; return how many rows were settled, sent or skipped.

    Safe in many places at once. Call it with no transaction open: it speaks to the mail server.
    """
    settled = tried = failures = 0
    with _Postman() as postman:
        while failures < PATIENCE and (limit is None or tried < limit) and go_on():
            notification = _claim()
            if notification is None:
                break
            tried += 1
            is_settled = _work_on(notification, postman)
            settled += is_settled
            failures = 0 if is_settled else failures + 1
    return settled


def send_again(notifications: QuerySet[Notification]) -> int:
    """Have those that were given up sent after all; return how many."""
    failed = notifications.filter(state=State.FAILED)
    count = failed.update(
        state=State.WAITING, attempts=0, next_attempt_at=timezone.now(), settled_at=None, error=""
    )
    if count:
        alias = router.db_for_write(Notification)
        wake = lambda: work_waiting.send_robust(Notification, job="send_notifications")  # noqa: E731
        transaction.on_commit(wake, using=alias, robust=True)
    return count


class _Postman:
    """One connection to the mail server for a round, opened at the first mail and anew after a failure."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __enter__(self) -> _Postman:
        return self

    def __exit__(self, *details: object) -> None:
        self._hang_up()

    def send(self, message: EmailMessage) -> None:
        if self._connection is None:
            connection = new_connection()
            connection.open()
            self._connection = connection
        try:
            self._connection.send_messages([message])
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                logger.info("email_connection_not_closed")


def _claim() -> Notification | None:
    """Take the row that has waited longest, for LEASE. A sender that dies loses it when that is over."""
    now = timezone.now()
    with transaction.atomic(using=router.db_for_write(Notification)):
        due = Notification.objects.due(now).order_by("next_attempt_at", "pk")
        notification = first_unlocked(due)
        if notification is None:
            return None
        notification.attempts += 1
        notification.state = State.SENDING
        notification.leased_until = now + LEASE
        # Whoever takes it over waits until then, and behind what has come before.
        notification.next_attempt_at = notification.leased_until
        notification.save(update_fields=["attempts", "state", "leased_until", "next_attempt_at"])
    return notification


def _work_on(notification: Notification, postman: _Postman) -> bool:
    """Send or skip it, with no transaction of ours open; return whether it is settled."""
    kind, user_id = notification.kind, str(notification.user_id)
    try:
        message = compose(notification)
    except Outdated as reason:
        _settle(notification, State.SKIPPED, str(reason))
        logger.info("email_skipped", extra={"kind": kind, "user_id": user_id})
        return True
    except Exception as error:
        logger.exception("email_not_composed", extra={"kind": kind, "user_id": user_id})
        return _put_back(notification, error)
    try:
        postman.send(message)
    except Exception as error:
        instruments.count("emails_failed", kind=kind)
        # Without the traceback: mail servers put addresses into what they say.
        reason_told = {"kind": kind, "user_id": user_id, "error": type(error).__name__}
        logger.warning("email_failed", extra=reason_told)
        return _put_back(notification, error)
    _settle(notification, State.SENT)
    instruments.count("emails_sent", kind=kind)
    logger.info("email_sent", extra={"kind": kind, "user_id": user_id})
    return True


def _put_back(notification: Notification, error: Exception) -> bool:
    """Try again later, for three days; return whether it is given up."""
    text = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    if notification.attempts >= MOST_ATTEMPTS:
        _settle(notification, State.FAILED, text)
        return True
    _write(notification, state=State.WAITING, error=text, next_attempt_at=_next(notification.attempts))
    return False


def _next(attempts: int) -> datetime:
    return timezone.now() + timedelta(minutes=RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1])


def _settle(notification: Notification, state: Notification.State, error: str = "") -> None:
    _write(notification, state=state, error=error, settled_at=timezone.now())


def _write(notification: Notification, **changes: Any) -> None:
    """Write the outcome, unless the lease ran out and another sender has taken the row over."""
    mine = Notification.objects.filter(
        pk=notification.pk, state=State.SENDING, attempts=notification.attempts
    )
    mine.update(leased_until=None, **changes)
