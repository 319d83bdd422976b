"""System checks. They read settings only: no network and no database. The exceptions run with `check --deploy` alone:
one asks the usage store's server how it is set up, and three in `production` ask the database.

A value of VIDEOQ_BILLING that cannot be right is no check: it stops the process (see conf.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

from django_videoq_billing import production
from django_videoq_billing.conf import get_settings
from django_videoq_billing.http import billing_page
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.usage import get_store

LINKS = ("UPGRADE_URL", "CHECKOUT_SUCCESS_URL", "CHECKOUT_CANCEL_URL", "NO_SCRIPT_URL")

Apps = Sequence[AppConfig] | None


def register() -> None:
    for check in (required_apps, usage_store, links, time_zones, djstripe_settings):
        checks.register(check, "videoq_billing")
    checks.register(upgrade_url_is_set, "videoq_billing", deploy=True)
    checks.register(sqlite_transactions, "videoq_billing", deploy=True)
    checks.register(usage_store_server, "videoq_billing", deploy=True)
    production.register()


def required_apps(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    missing = [
        name
        for name in ("django.contrib.auth", "django.contrib.contenttypes", "rest_framework")
        if not apps.is_installed(name)
    ]
    if not missing:
        return []
    return [
        checks.Error(
            f"INSTALLED_APPS lacks {', '.join(missing)}.",
            hint="django_videoq_billing needs them; add them before it.",
            id="videoq_billing.E001",
        )
    ]


def usage_store(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    try:
        get_store()
    except (ImportError, TypeError, ImproperlyConfigured) as error:
        return [
            checks.Error(
                f"VIDEOQ_BILLING['USAGE_STORE'] cannot be used: {error}",
                hint="Use 'database', 'redis' with a cache whose BACKEND is 'django_redis.cache.RedisCache', or the dotted "
                "path of your own UsageStore class.",
                id="videoq_billing.E002",
            )
        ]
    return []


def links(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """A path or an address needs no URLconf, and a worker may have none; only names are looked up."""
    given = {name: getattr(get_settings(), name) for name in LINKS}
    return [
        checks.Error(
            f"VIDEOQ_BILLING[{name!r}] is {target!r}, and no URL pattern has that name.",
            hint="Use the name of a URL pattern without arguments, a path such as '/billing/', or a URL.",
            id="videoq_billing.E003",
        )
        for name, target in given.items()
        if target and "/" not in target and not _is_pattern(target)
    ]


def _is_pattern(name: str) -> bool:
    try:
        resolve_url(name)
    except NoReverseMatch:
        return False
    return True


def time_zones(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.USE_TZ:
        return []
    return [
        checks.Error(
            "USE_TZ is False: billing periods need moments, not local clock times.",
            hint="Set USE_TZ = True.",
            id="videoq_billing.E004",
        )
    ]


def djstripe_settings(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    if not stripe_mirror.is_installed() or not get_settings().STRIPE_SECRET_KEY:
        return []
    found: list[checks.CheckMessage] = []
    if not stripe_mirror.is_same_server():
        found.append(
            checks.Error(
                "dj-stripe would talk to another server than VIDEOQ_BILLING['STRIPE_API_BASE'].",
                hint="Set STRIPE_API_HOST to the same address, or leave out both for Stripe itself.",
                id="videoq_billing.E005",
            )
        )
    if not stripe_mirror.takes_key():
        found.append(
            checks.Warning(
                "dj-stripe does not take VIDEOQ_BILLING['STRIPE_SECRET_KEY']: its tables will stay empty.",
                hint="It wants sk_test_, sk_live_, rk_test_ or rk_live_ and at least 24 letters or digits.",
                id="videoq_billing.W003",
            )
        )
    return found


def upgrade_url_is_set(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    if get_settings().UPGRADE_URL or billing_page():
        return []
    return [
        checks.Warning(
            "VIDEOQ_BILLING['UPGRADE_URL'] is empty: a user at the limit is not told where to get more.",
            hint="Set it to your pricing or billing page, or include django_videoq_billing.pages.urls.",
            id="videoq_billing.W001",
        )
    ]


def sqlite_transactions(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Warning(
            f"DATABASES[{alias!r}] is SQLite with deferred transactions: racing requests can fail with "
            "“database is locked”.",
            hint="Set OPTIONS['transaction_mode'] = 'IMMEDIATE', or use PostgreSQL.",
            id="videoq_billing.W002",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("ENGINE", "").endswith("sqlite3")
        and str(database.get("OPTIONS", {}).get("transaction_mode", "")).upper()
        not in ("IMMEDIATE", "EXCLUSIVE")
    ]


def usage_store_server(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    try:
        risks = get_store().risks()
    except (ImportError, TypeError, ImproperlyConfigured):
        return []  # E002 says so
    return [checks.Warning(text, hint=hint, id=check_id) for check_id, text, hint in risks]
