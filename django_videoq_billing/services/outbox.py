"""What users are to be told by e-mail, written down where it becomes true; `services.notifications` sends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification
from django_videoq_billing.signals import work_waiting
from django_videoq_billing.types import UserId

NEWS = timedelta(days=3)
"""What happened longer ago is no news: a site that finds it out so late was moved, restored or down."""


def add(
    kind: Notification.Kind,
    user_id: UserId,
    key: str,
    facts: Mapping[str, Any] | None = None,
    *,
    happened_at: datetime | None = None,
) -> None:
    """Have the user told, once for this kind and key. Call it in the transaction that makes the fact true.

    Nothing is sent here. Adding twice is safe: the first facts stand. A kind that EMAILS switches off is left
    out, and so is what happened more than NEWS ago.
    """
    if happened_at and happened_at < timezone.now() - NEWS:
        return
    add_all([(user_id, (kind, key, dict(facts or {})))])


def add_all(news: Iterable[tuple[UserId, tuple[Notification.Kind, str, dict[str, Any]]]]) -> None:
    """The same for many at once, in one statement."""
    now, wanted = timezone.now(), get_settings().EMAILS
    rows = [
        Notification(user_id=user_id, kind=kind, key=key, facts=facts, next_attempt_at=now, created_at=now)
        for user_id, (kind, key, facts) in news
        if wanted[kind]
    ]
    if not rows:
        return
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(
        lambda: work_waiting.send_robust(Notification, job="send_notifications"),
        using=router.db_for_write(Notification),
        robust=True,
    )
