"""What the tests of transcription share. Usage is looked at through the tracker: any store may keep it."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import time_machine
from django.contrib.auth.models import Group, User
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.usage_tracker import UsageTracker, release_expired

LIMIT = 600
_numbers = count(1)


def used(user: User) -> int:
    return UsageTracker.get_usage(user)["transcription_seconds"]


def other_video() -> Group:
    """Any row of the host's: the package does not know its videos."""
    return Group.objects.create(name=f"video {next(_numbers)}")


def long_after() -> time_machine.travel:
    """A moment at which every hold of now is overdue."""
    overdue = timedelta(seconds=get_settings().RESERVATION_SECONDS + 1)
    return time_machine.travel(timezone.now() + overdue, tick=False)


def expire_all() -> int:
    with long_after():
        return release_expired(timezone.now())
