"""System checks for a site that is about to be, or is, in production. Those that ask the database say so."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import Error, connections, router
from django.utils import timezone
from django.utils.http import is_same_domain

from django_videoq_billing.conf import get_settings
from django_videoq_billing.jobs import JOBS, Job
from django_videoq_billing.models import JobRun, SubscriptionPlan, UsageRecord
from django_videoq_billing.services.stripe_service.client import live_mode

LATE = timedelta(hours=1)
PER_PROCESS = ("locmem.LocMemCache", "dummy.DummyCache")

Found = list[checks.CheckMessage]


def register() -> None:
    for check in (celery_is_there, live_key_under_debug):
        checks.register(check, "videoq_billing")
    for check in (
        webhook_secret,
        shared_cache,
        links_in_emails,
        mail_server_that_hangs,
        sender,
        redirect_hosts,
        jobs_run,
        plans_are_seeded,
        plans_are_at_stripe,
        mariadb_snapshots,
    ):
        checks.register(check, "videoq_billing", deploy=True)


def celery_is_there(app_configs: Any, **kwargs: Any) -> Found:
    given = get_settings()
    wanted = [name for name in ("WEBHOOK_PROCESSING", "EMAIL_SENDING") if getattr(given, name) == "celery"]
    if not wanted or find_spec("celery"):
        return []
    return [
        checks.Error(
            f"VIDEOQ_BILLING[{wanted[0]!r}] is 'celery', which is not installed.",
            hint="pip install 'django-videoq-billing[celery]', or choose 'worker' or 'inline'.",
            id="videoq_billing.E006",
        )
    ]


def webhook_secret(app_configs: Any, **kwargs: Any) -> Found:
    if not get_settings().STRIPE_SECRET_KEY or get_settings().webhook_secrets:
        return []
    return [
        checks.Error(
            "VIDEOQ_BILLING['STRIPE_WEBHOOK_SECRET'] is empty while there is a key: every event is refused.",
            hint="Copy the signing secret of your endpoint from Stripe's dashboard.",
            id="videoq_billing.E007",
        )
    ]


def live_key_under_debug(app_configs: Any, **kwargs: Any) -> Found:
    if not (settings.DEBUG and live_mode()):
        return []
    return [
        checks.Warning(
            "DEBUG is on, and STRIPE_SECRET_KEY is a live key: what you try out moves real money.",
            hint="Use a test key (sk_test_...), or set DEBUG = False.",
            id="videoq_billing.W007",
        )
    ]


def shared_cache(app_configs: Any, **kwargs: Any) -> Found:
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    if not any(get_settings().THROTTLE_RATES.values()) or not backend.endswith(PER_PROCESS):
        return []
    return [
        checks.Warning(
            f"The default cache is {backend.rpartition('.')[2]}: THROTTLE_RATES hold in each process by itself, or not "
            "at all.",
            hint="Use a cache that processes share, such as Redis, or set the rates to None.",
            id="videoq_billing.W008",
        )
    ]


def _emails() -> bool:
    return any(get_settings().EMAILS.values())


def links_in_emails(app_configs: Any, **kwargs: Any) -> Found:
    if not _emails() or get_settings().SITE_URL:
        return []
    return [
        checks.Warning(
            "VIDEOQ_BILLING['SITE_URL'] is empty: e-mails cannot link to your site.",
            hint="Set it to the address of your site, such as 'https://videos.example.com', or switch off EMAILS.",
            id="videoq_billing.W009",
        )
    ]


def _mailer() -> tuple[str, Any, str]:
    """What sends e-mails, how long it waits, and how to say so; Django 6.1 refuses EMAIL_* where MAILERS are set."""
    mailers = getattr(settings, "MAILERS", None)
    if not mailers:
        return settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT, "EMAIL_TIMEOUT = 10"
    mailer = mailers.get("default", {})
    timeout = mailer.get("OPTIONS", {}).get("timeout")
    return mailer.get("BACKEND", "smtp.EmailBackend"), timeout, "'OPTIONS': {'timeout': 10} in MAILERS"


def mail_server_that_hangs(app_configs: Any, **kwargs: Any) -> Found:
    if not _emails() or get_settings().EMAIL_SENDING != "inline":
        return []
    backend, timeout, cure = _mailer()
    if not backend.endswith("smtp.EmailBackend") or timeout is not None:
        return []
    return [
        checks.Warning(
            "E-mails have no time-out: a mail server that hangs keeps the process that sends, and it serves requests.",
            hint=f"Set {cure}, or have a worker send: EMAIL_SENDING 'worker' or 'celery'.",
            id="videoq_billing.W010",
        )
    ]


def sender(app_configs: Any, **kwargs: Any) -> Found:
    address = get_settings().EMAIL_FROM or settings.DEFAULT_FROM_EMAIL
    if not _emails() or "webmaster@localhost" not in address:
        return []
    return [
        checks.Warning(
            "E-mails would come from webmaster@localhost, which mail servers refuse.",
            hint="Set VIDEOQ_BILLING['EMAIL_FROM'], or Django's DEFAULT_FROM_EMAIL.",
            id="videoq_billing.W011",
        )
    ]


def redirect_hosts(app_configs: Any, **kwargs: Any) -> Found:
    """Of addresses that name a host: a request's own host is always fine, and ALLOWED_HOSTS says which it can be."""
    given = get_settings()
    allowed = [*given.ALLOWED_REDIRECT_HOSTS, *settings.ALLOWED_HOSTS, urlsplit(given.SITE_URL).netloc]
    names = {
        name: urlsplit(getattr(given, name)).netloc
        for name in ("CHECKOUT_SUCCESS_URL", "CHECKOUT_CANCEL_URL")
    }
    return [
        checks.Warning(
            f"VIDEOQ_BILLING[{name!r}] is on {host}, which is not allowed: every checkout is refused.",
            hint=f"Add {host!r} to ALLOWED_REDIRECT_HOSTS.",
            id="videoq_billing.W012",
        )
        for name, host in names.items()
        if host
        and "*" not in allowed
        and not any(is_same_domain(host, pattern) for pattern in allowed if pattern)
    ]


def jobs_run(app_configs: Any, **kwargs: Any) -> Found:
    """Asks the database."""
    try:
        rows = JobRun.objects.in_bulk()
    except Error:  # not migrated yet, or away: other checks say so
        return []
    late = [name for name, job in JOBS.items() if _is_late(job, rows.get(name))]
    if not late:
        return []
    return [
        checks.Warning(
            f"Jobs have never run, or not for an hour past their time: {', '.join(late)}.",
            hint="Keep `manage.py run_billing_jobs --loop` running, or Celery's worker and beat.",
            id="videoq_billing.W013",
        )
    ]


def _is_late(job: Job, row: JobRun | None) -> bool:
    return row is None or row.started_at is None or row.started_at + job.every + LATE < timezone.now()


def plans_are_seeded(app_configs: Any, **kwargs: Any) -> Found:
    """Asks the database."""
    try:
        missing = get_settings().PLANS.keys() - set(SubscriptionPlan.objects.values_list("slug", flat=True))
    except Error:
        return []
    if not missing:
        return []
    return [
        checks.Warning(
            f"VIDEOQ_BILLING['PLANS'] names plans that the database lacks: {', '.join(sorted(missing))}. Nobody is "
            "offered them.",
            hint="Run `manage.py seed_plans`, after each change of PLANS.",
            id="videoq_billing.W016",
        )
    ]


def plans_are_at_stripe(app_configs: Any, **kwargs: Any) -> Found:
    """Asks the database."""
    if not get_settings().STRIPE_SECRET_KEY:
        return []
    try:
        sold = SubscriptionPlan.objects.filter(is_active=True, price_cents__gt=0)
        unpriced = [plan.slug for plan in sold.order_by("slug") if not plan.stripe_price_id]
    except Error:
        return []
    if not unpriced:
        return []
    return [
        checks.Warning(
            f"Plans cost money and have no price at Stripe: {', '.join(unpriced)}. Nobody can buy them.",
            hint="Run `manage.py sync_stripe_plans`.",
            id="videoq_billing.W014",
        )
    ]


def mariadb_snapshots(app_configs: Any, **kwargs: Any) -> Found:
    """Asks the database. See https://mariadb.com/kb/en/innodb-system-variables/#innodb_snapshot_isolation"""
    alias = router.db_for_write(UsageRecord)
    if connections[alias].vendor != "mysql":
        return []
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'")
            rows = cursor.fetchall()
    except Error:
        return []
    if ("innodb_snapshot_isolation", "ON") not in rows:
        return []
    return [
        checks.Warning(
            f"MariaDB's innodb_snapshot_isolation is on for DATABASES[{alias!r}]: of requests that wait for each other's "
            "rows, some fail (error 1020).",
            hint="Set OPTIONS['init_command'] = 'SET innodb_snapshot_isolation = OFF'.",
            id="videoq_billing.W015",
        )
    ]
