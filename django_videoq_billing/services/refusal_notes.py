"""Writing down that a user was refused, for whoever supports the user: the first time in an hour, after the answer.

The view's transaction is rolled back by the refusal (ATOMIC_REQUESTS), so the note is written when the request is
over; outside of a request it is written at once.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from asgiref.local import Local
from django.db import IntegrityError, router, transaction
from django.utils import timezone

from django_videoq_billing.models import UsageRefusal
from django_videoq_billing.models.deadlocks import again_after_deadlock
from django_videoq_billing.services.usage_alerts import Memory
from django_videoq_billing.types import Reservation

logger = logging.getLogger("django_videoq_billing")

noted = Memory()
_request = Local()


def note(refused: Reservation) -> None:
    """Have the refusal written down, unless one of this hour is. Never raises, and costs a look into a dictionary."""
    now = timezone.now()
    key = (refused.user_id, refused.metric, _hour(now))
    if key in noted:
        return
    noted.add(key)
    row = UsageRefusal(
        user_id=refused.user_id,
        metric=refused.metric,
        hour=key[2],
        amount=refused.amount,
        used=refused.used,
        limit=refused.limit or 0,
        created_at=now,
    )
    waiting = getattr(_request, "refusals", None)
    if waiting is None:
        _write([row])
    else:
        waiting.append(row)


def request_started(**kwargs: Any) -> None:
    _request.refusals = []


def request_finished(**kwargs: Any) -> None:
    waiting = getattr(_request, "refusals", None)
    _request.refusals = None
    if waiting:
        _write(waiting)


def _alias() -> str:
    return router.db_for_write(UsageRefusal)


def _write(rows: list[UsageRefusal]) -> None:
    """Somebody else may have been faster in this hour, and the user may be gone."""
    for row in rows:
        try:
            _insert(row)
        except IntegrityError:
            continue
        except Exception:
            logger.exception("refusal_not_noted", extra={"user_id": str(row.user_id)})


@again_after_deadlock(_alias)
def _insert(row: UsageRefusal) -> None:
    with transaction.atomic(using=_alias()):
        row.save(using=_alias(), force_insert=True)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
