"""Every job, with its pace. The order is that of one round: facts come in before they are acted on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.jobs.running import Job, Run
from django_videoq_billing.services import (
    alert_sweep,
    dunning,
    figures,
    notifications,
    period_ends,
    promotions,
    retention,
    stripe_mirror,
    usage_tracker,
)
from django_videoq_billing.services.reconciliation import Reconciliation
from django_videoq_billing.webhooks import inbox, missed

MARGIN = timedelta(hours=1)
"""Events are asked for that are older than the last look by this: Stripe's clock is not ours."""


def process_webhooks(run: Run) -> None:
    while run.may_go_on() and inbox.process_due(1):
        run.did()
    while run.may_go_on() and stripe_mirror.mirror_due(1):
        run.did()


def flush_usage(run: Run) -> None:
    run.did(usage_tracker.flush_usage())


def expire_reservations(run: Run) -> None:
    run.did(usage_tracker.release_expired(timezone.now()))


def follow_up_payments(run: Run) -> None:
    for looked_at in dunning.remind(run.may_go_on):
        run.did(looked_at)


def catch_up_periods(run: Run) -> None:
    for looked_at in period_ends.catch_up(run.may_go_on):
        run.did(looked_at)


def end_promotions(run: Run) -> None:
    for ended in promotions.end_promotions(run.may_go_on):
        run.did(ended)


def fetch_missed_events(run: Run) -> None:
    """Store what the last run that came to its end cannot have seen; `process_webhooks` works on it."""
    if not get_settings().STRIPE_SECRET_KEY:
        return
    if not run.cursor:
        now = timezone.now()
        oldest, seen = now - timedelta(days=missed.KEPT_DAYS), run.last_report.get("seen_until")
        since = max(datetime.fromisoformat(seen) - MARGIN, oldest) if seen else oldest
        run.cursor.update(since=since.isoformat(), began=now.isoformat())
        run.report["seen_until"] = seen
    try:
        _fetch_missed(run)
    except StripeObjectMissing:  # the event that we had come to is gone: the next time from the start
        run.cursor.clear()
        raise
    if run.finished:
        run.report["seen_until"] = run.cursor["began"]


def _fetch_missed(run: Run) -> None:
    since, after = datetime.fromisoformat(run.cursor["since"]), run.cursor.get("after")
    for stored, place in missed.fetch_pages(since, after):
        run.cursor["after"] = place
        run.did(stored)
        if not run.may_go_on():
            break
    if run.done:
        inbox.tell_worker()


def reconcile_stripe(run: Run) -> None:
    if not get_settings().STRIPE_SECRET_KEY:
        return
    for count in Reconciliation(cursor=run.cursor, report=run.report).steps():
        run.did(count)
        if not run.may_go_on():
            break


def prune_old_rows(run: Run) -> None:
    for what, count in retention.prune():
        run.report[what] = run.report.get(what, 0) + count
        run.did(count)
        if not run.may_go_on():
            break


def find_usage_alerts(run: Run) -> None:
    for place, found in alert_sweep.find_reached(after=run.cursor.get("after", 0)):
        run.cursor = {"after": place}
        run.did(found)
        if not run.may_go_on():
            return


def roll_up_figures(run: Run) -> None:
    run.did(figures.roll_up(timezone.now()))


def send_notifications(run: Run) -> None:
    run.did(notifications.send_due(go_on=run.may_go_on))


JOBS = {
    job.name: job
    for job in (
        Job("fetch_missed_events", timedelta(hours=1), fetch_missed_events),
        Job("process_webhooks", timedelta(seconds=10), process_webhooks, seconds=300, shared=True),
        Job("flush_usage", timedelta(seconds=15), flush_usage, seconds=300),
        Job("expire_reservations", timedelta(minutes=1), expire_reservations, seconds=300),
        Job("find_usage_alerts", timedelta(minutes=5), find_usage_alerts, seconds=240),
        Job("catch_up_periods", timedelta(minutes=5), catch_up_periods, seconds=60),
        Job("end_promotions", timedelta(minutes=5), end_promotions, seconds=60),
        Job("follow_up_payments", timedelta(minutes=15), follow_up_payments, seconds=60),
        Job("send_notifications", timedelta(minutes=1), send_notifications, seconds=300, shared=True),
        Job("roll_up_figures", timedelta(hours=1), roll_up_figures, seconds=300),
        Job("reconcile_stripe", timedelta(days=1), reconcile_stripe, seconds=30),
        Job("prune_old_rows", timedelta(days=1), prune_old_rows, seconds=30),
    )
}
