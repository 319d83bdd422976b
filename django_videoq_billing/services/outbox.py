"""What users are to be told by e-mail, written down where it becomes true; `services.notifications` sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification
from django_videoq_billing.signals import work_waiting
from django_videoq_billing.types import UserId


def add(kind: Notification.Kind, user_id: UserId, key: str, facts: Mapping[str, Any] | None = None) -> None:
    """Have the user told, once for this kind and key. Call it in the transaction that makes the fact true.

    Nothing is sent here. Adding twice is safe: the first facts stand. A kind that EMAILS switches off is left out.
    """
    if not get_settings().EMAILS[kind]:
        return
    now = timezone.now()
    row = Notification(
        user_id=user_id, kind=kind, key=key, facts=dict(facts or {}), next_attempt_at=now, created_at=now
    )
    Notification.objects.bulk_create([row], ignore_conflicts=True)
    transaction.on_commit(
        lambda: work_waiting.send_robust(Notification, job="send_notifications"),
        using=router.db_for_write(Notification),
        robust=True,
    )
