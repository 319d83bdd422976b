from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_videoq_billing.management.groups import ROLES, bring_in_line
from django_videoq_billing.models import (
    EmailPreference,
    JobRun,
    Notification,
    PaymentTransaction,
    SubscriptionPlan,
    TranscriptionJob,
    UsageAlert,
    WebhookEvent,
)
from django_videoq_billing.services import support, transcription
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.factories import make_payment, make_plan, make_user, subscribed
from tests.models.rows import new_refusal

if find_spec("httpx") and find_spec("starlette"):
    from tests.stripe_site import customer, plans, stripe_account

    __all__ = ["customer", "plans", "stripe_account"]
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
    new_refusal(user=user).save()
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
        "usagerefusal": user.usage_refusals.get(),
    }


# --- the staff of each role, and a row of every kind for them to look at ---


@pytest.fixture
def rows() -> dict[str, Model]:
    """A row of every kind; the plan is one that nobody has."""
    user = busy_user(make_plan())
    now = timezone.now()
    alert = UsageAlert.objects.create(
        user=user,
        metric="video",
        period_start=now,
        period_end=now + timedelta(days=30),
        threshold=80,
        used=4,
        limit=5,
        created_at=now,
    )
    event = WebhookEvent.objects.create(
        stripe_event_id="evt_1",
        type="invoice.created",
        payload={"id": "evt_1", "data": {"object": {"id": "in_1"}}},
        state=WebhookEvent.State.FAILED,
        next_attempt_at=now,
        created_at=now,
    )
    mail = Notification.objects.create(
        user=user,
        kind=Notification.Kind.REACTIVATED,
        key="1",
        state=Notification.State.FAILED,
        next_attempt_at=now,
        created_at=now,
    )
    return {
        **rows_of(user),
        "emailpreference": EmailPreference.objects.create(user=user),
        "jobrun": JobRun.objects.create(name="a_job"),
        "notification": mail,
        "subscriptionplan": make_plan(is_active=True),
        "usagealert": alert,
        "webhookevent": event,
    }


@pytest.fixture(params=[*ROLES, "no group"])
def role(request: Any, rows: dict[str, Model]) -> str:
    bring_in_line()
    return str(request.param)


@pytest.fixture
def staff(role: str) -> Client:
    person = make_user(is_staff=True)
    person.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(person)
    return client
