"""Every job, with its pace. The order is that of one round: facts come in before they are acted on."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_videoq_billing.jobs.running import Job, Run
from django_videoq_billing.services import notifications, stripe_mirror, usage_tracker
from django_videoq_billing.webhooks import inbox


def process_webhooks(run: Run) -> None:
    while run.may_go_on() and inbox.process_due(1):
        run.did()
    while run.may_go_on() and stripe_mirror.mirror_due(1):
        run.did()


def flush_usage(run: Run) -> None:
    run.did(usage_tracker.flush_usage())


def expire_reservations(run: Run) -> None:
    run.did(usage_tracker.release_expired(timezone.now()))


def send_notifications(run: Run) -> None:
    run.did(notifications.send_due(go_on=run.may_go_on))


JOBS = {
    job.name: job
    for job in (
        Job("process_webhooks", timedelta(seconds=10), process_webhooks, seconds=300),
        Job("flush_usage", timedelta(seconds=15), flush_usage, seconds=300),
        Job("expire_reservations", timedelta(minutes=1), expire_reservations, seconds=300),
        Job("send_notifications", timedelta(minutes=1), send_notifications, seconds=300),
    )
}
