"""What the site itself does before and after a storm: `python -m tests.storm.books prepare|close ...`."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

import django

PATIENCE = 60.0


def prepare(users: int, limit: int) -> None:
    from django.core.management import call_command

    from django_videoq_billing.services.entitlements import entitlement_for
    from tests.factories import make_plan, subscribed

    call_command("migrate", run_syncdb=True, verbosity=0)
    plan = make_plan(video_limit=limit)
    for _ in range(users):
        entitlement_for(subscribed(plan))


def close(limit: int) -> dict[str, Any]:
    """Flush, give back what was left open, and fill every user up to the limit."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from django_videoq_billing.models import UsageRecord, UsageReservation, UsageSettlement
    from django_videoq_billing.services.entitlements import entitlement_for, entitlement_of
    from django_videoq_billing.types import Metric
    from django_videoq_billing.usage import get_store

    store, users = get_store(), list(get_user_model().objects.order_by("pk"))
    complaints: list[str] = []

    def compare(when: str) -> dict[int, int]:
        flush_all(store)
        records = dict(UsageRecord.objects.values_list("user_id", "video_count"))
        for user in users:
            held = store.get(entitlement_for(user)).video_count
            if held != records.get(user.pk, 0):
                complaints.append(
                    f"{when}, user {user.pk}: {held} in the store, {records.get(user.pk, 0)} in the row"
                )
        return records

    compare("after the storm")
    store.expire(timezone.now() + timedelta(days=1))
    counted = compare("after the expiry")
    rows = {
        row.pk.hex: {
            "user": row.user_id,
            "state": row.state,
            "amount": row.amount,
            "settled": row.settled_amount,
        }
        for row in UsageReservation.objects.all()
    }
    if UsageSettlement.objects.exists():
        complaints.append("something told is not carried out")
    for user in users:
        room = limit - counted.get(user.pk, 0)
        if room > 0 and not store.reserve(entitlement_of(user), Metric.VIDEO, room, hold=False).granted:
            complaints.append(f"user {user.pk}: {room} of room refused")
        if store.reserve(entitlement_of(user), Metric.VIDEO, 1, hold=False).granted:
            complaints.append(f"user {user.pk}: one more than the limit admitted")
    compare("after filling up")
    return {"complaints": complaints, "counted": counted, "rows": rows, "users": [user.pk for user in users]}


def flush_all(store: Any) -> None:
    from django_videoq_billing.exceptions import UsageUnavailable

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if not store.flush():
                return
        except UsageUnavailable:
            time.sleep(0.1)
        assert time.monotonic() < deadline, "the journal does not come to an end"


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "prepare":
        prepare(*map(int, sys.argv[2:]))
    else:
        print(json.dumps(close(int(sys.argv[2]))))
