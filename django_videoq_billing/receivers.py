"""Signal to service, nothing else."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services import refusal_notes
from django_videoq_billing.services.entitlements import give_default_plan, plan_or_period_changed
from django_videoq_billing.services.notifications import inline
from django_videoq_billing.services.plan_changes import end_billing
from django_videoq_billing.signals import work_waiting

WHO_WORKS = {"process_webhooks": "WEBHOOK_PROCESSING", "send_notifications": "EMAIL_SENDING"}
"""Who runs a job as soon as there is something for it to do, by the setting that says so."""


def connect() -> None:
    pre_delete.connect(
        user_deleted, sender=settings.AUTH_USER_MODEL, dispatch_uid="videoq_billing.user_deleted"
    )
    post_save.connect(user_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="videoq_billing.user_saved")

    work_waiting.connect(wake_celery, dispatch_uid="videoq_billing.wake_celery")

    for signal in (post_save, post_delete):
        for sender, receiver in (
            (UserSubscription, usage_of_user_changed),
            (UsageRecord, usage_of_user_changed),
            (SubscriptionPlan, plan_changed),
        ):
            signal.connect(
                receiver, sender=sender, dispatch_uid=f"videoq_billing.{receiver.__name__}.{sender.__name__}"
            )

    work_waiting.connect(mail_waiting, dispatch_uid="videoq_billing.mail_waiting")
    request_started.connect(inline.request_started, dispatch_uid="videoq_billing.no_mail_yet")
    request_finished.connect(inline.request_finished, dispatch_uid="videoq_billing.send_mail")
    request_started.connect(refusal_notes.request_started, dispatch_uid="videoq_billing.no_refusal_yet")
    request_finished.connect(refusal_notes.request_finished, dispatch_uid="videoq_billing.note_refusals")


def mail_waiting(sender: object, job: str, **kwargs: Any) -> None:
    if job == "send_notifications" and get_settings().EMAIL_SENDING == "inline":
        inline.remember()


def wake_celery(sender: object, job: str, **kwargs: Any) -> None:
    if job in WHO_WORKS and getattr(get_settings(), WHO_WORKS[job]) == "celery":
        from django_videoq_billing import tasks  # others need not pay for importing Celery

        tasks.wake(job)


def usage_of_user_changed(sender: object, instance: UserSubscription | UsageRecord, **kwargs: Any) -> None:
    plan_or_period_changed(instance.user_id)


def plan_changed(sender: object, instance: SubscriptionPlan, **kwargs: Any) -> None:
    plan_or_period_changed()


def user_deleted(sender: object, instance: Any, **kwargs: Any) -> None:
    if get_settings().CANCEL_ON_USER_DELETE:
        end_billing(instance.pk)


def user_saved(sender: object, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
    if created and not raw and get_settings().AUTO_ASSIGN_DEFAULT_PLAN:
        # After the commit, and never in its way: whom this misses gets the plan on first use.
        transaction.on_commit(lambda: give_default_plan(instance.pk), robust=True)
