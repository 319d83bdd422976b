from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, TranscriptionJob
from django_videoq_billing.services import support, transcription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_payment, make_user, subscribed

if find_spec("httpx") and find_spec("starlette"):
    from tests.stripe_site import customer, plans, stripe_account, stripe_process

    __all__ = ["customer", "plans", "stripe_account", "stripe_process"]
else:  # the base install has no sandbox
    collect_ignore_glob = ["test_stripe_*.py"]


def page(model: str, kind: str = "changelist", pk: object = None) -> str:
    return reverse(f"admin:videoq_billing_{model}_{kind}", args=None if pk is None else [pk])


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def staff_who_may(*permissions: str) -> Client:
    person = make_user(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def move(row: Any, name: str) -> str:
    """The address of a move on the page of the row."""
    return reverse(f"admin:videoq_billing_{row._meta.model_name}_move", args=[row.pk, name])


def log() -> list[str]:
    """What the log says, newest last."""
    return list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))


def busy_user(plan: SubscriptionPlan, **fields: Any) -> Any:
    """A user with one row in every table: subscription, usage, holds, job and payment."""
    user = subscribed(plan, make_user(**fields))
    UsageTracker.increment_video_count(user, 2)
    UsageTracker.reserve(user, "video", key="upload-1").keep()
    video = Group.objects.create(name=f"a video of {user}")
    transcription.start(user, video, 90)
    make_payment(user=user, plan=plan)
    allowance = support.grant_allowance(user, "video", 6, reason="A video was lost.", author=None)
    support.revoke_allowance(allowance)
    support.correct_usage(user, "transcription", 91, reason="A second was lost.", author=None)
    support.correct_usage(user, "transcription", 90, reason="It was found.", author=None)
    return user


def rows_of(user: Any) -> dict[str, Any]:
    return {
        "usersubscription": user.subscription,
        "usagerecord": user.usage_records.get(),
        "usagereservation": user.usage_reservations.first(),
        "transcriptionjob": TranscriptionJob.objects.get(user=user),
        "paymenttransaction": PaymentTransaction.objects.get(user=user),
        "extraallowance": user.extra_allowances.get(),
        "usagecorrection": user.usage_corrections.first(),
    }
