"""Each check of `production`, once with what it warns of and once without."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.db import DatabaseError, connection
from django.utils import timezone

from django_videoq_billing import production
from django_videoq_billing.jobs import JOBS
from django_videoq_billing.models import JobRun
from django_videoq_billing.services.plans import seed_plans
from tests.databases import about_mariadb
from tests.factories import make_plan
from tests.test_checks import ids, messages, only

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings: Any) -> Any:
    """A site that is in order."""
    settings.CACHES = {
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 10
    settings.DEFAULT_FROM_EMAIL = "billing@example.com"
    settings.VIDEOQ_BILLING = {
        "UPGRADE_URL": "/plans/",
        "SITE_URL": "https://videos.example.com",
        "STRIPE_SECRET_KEY": "sk_live_0123456789abcdefghijklmnop",
        "STRIPE_WEBHOOK_SECRET": "whsec_0123",
        "PLANS": {"free": {"name": "Free"}},
    }
    seed_plans()
    now = timezone.now()
    JobRun.objects.bulk_create(JobRun(name=name, started_at=now) for name in JOBS)
    return settings


def give(site: Any, **more: Any) -> None:
    site.VIDEOQ_BILLING = {**site.VIDEOQ_BILLING, **more}


def only_on_deployment(check_id: str) -> checks.CheckMessage:
    assert check_id not in ids()
    return only(check_id, deploy=True)


def test_a_site_that_is_in_order(site: Any) -> None:
    assert messages(deploy=True) == []


@pytest.mark.parametrize("name", ["WEBHOOK_PROCESSING", "EMAIL_SENDING"])
def test_e006_celery_is_there(site: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pytest.importorskip("celery", reason="The base install has no Celery.")
    give(site, **{name: "celery"})
    assert "videoq_billing.E006" not in ids()
    monkeypatch.setattr(production, "find_spec", lambda name: None)
    assert name in only("videoq_billing.E006").msg
    give(site, **{name: "worker"})
    assert "videoq_billing.E006" not in ids()


def test_e007_webhook_secret(site: Any) -> None:
    give(site, STRIPE_WEBHOOK_SECRET="")
    assert isinstance(only_on_deployment("videoq_billing.E007"), checks.Error)
    give(site, STRIPE_SECRET_KEY="")
    assert "videoq_billing.E007" not in ids(deploy=True)


def test_w007_live_key_under_debug(site: Any) -> None:
    site.DEBUG = True
    message = only("videoq_billing.W007")
    assert "sk_live_0" not in message.msg + str(message.hint)
    give(site, STRIPE_SECRET_KEY="sk_test_0123")
    assert "videoq_billing.W007" not in ids()


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_w008_shared_cache(site: Any, backend: str) -> None:
    site.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert backend.partition(".")[2] in only_on_deployment("videoq_billing.W008").msg
    give(site, THROTTLE_RATES={"plans": None, "read": None, "write": None})
    assert "videoq_billing.W008" not in ids(deploy=True)


def no_emails() -> dict[str, bool]:
    from django_videoq_billing.conf_rules import ALL_EMAILS

    return dict.fromkeys(ALL_EMAILS, False)


def test_w009_links_in_emails(site: Any) -> None:
    give(site, SITE_URL="")
    only_on_deployment("videoq_billing.W009")
    give(site, EMAILS=no_emails())
    assert "videoq_billing.W009" not in ids(deploy=True)


def test_w010_mail_server_that_hangs(site: Any) -> None:
    site.EMAIL_TIMEOUT = None
    only_on_deployment("videoq_billing.W010")
    give(site, EMAIL_SENDING="worker")
    assert "videoq_billing.W010" not in ids(deploy=True)
    give(site, EMAIL_SENDING="inline")
    site.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "videoq_billing.W010" not in ids(deploy=True)


@pytest.mark.parametrize(
    ("mailer", "warned"),
    [
        ({}, True),
        ({"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "mail"}}, True),
        ({"OPTIONS": {"timeout": 10}}, False),
        ({"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}, False),
    ],
)
def test_w010_where_mailers_send(site: Any, mailer: dict[str, Any], warned: bool) -> None:
    site.MAILERS = {"default": mailer}
    if warned:
        assert "in MAILERS" in str(only_on_deployment("videoq_billing.W010").hint)
    else:
        assert "videoq_billing.W010" not in ids(deploy=True)


def test_w011_sender(site: Any) -> None:
    site.DEFAULT_FROM_EMAIL = "webmaster@localhost"
    only_on_deployment("videoq_billing.W011")
    give(site, EMAIL_FROM="Videos <billing@example.com>")
    assert "videoq_billing.W011" not in ids(deploy=True)


def test_w012_redirect_hosts(site: Any) -> None:
    site.ALLOWED_HOSTS = [".example.com"]
    give(site, CHECKOUT_SUCCESS_URL="https://app.other.example/thanks")
    assert "app.other.example" in only_on_deployment("videoq_billing.W012").msg
    give(site, ALLOWED_REDIRECT_HOSTS=["app.other.example"])
    assert "videoq_billing.W012" not in ids(deploy=True)
    give(site, ALLOWED_REDIRECT_HOSTS=[], CHECKOUT_SUCCESS_URL="https://videos.example.com/thanks")
    assert "videoq_billing.W012" not in ids(deploy=True)


@pytest.mark.parametrize(("name", "late"), [("process_webhooks", 61), ("reconcile_stripe", 25 * 60 + 1)])
def test_w013_jobs_run(site: Any, name: str, late: int) -> None:
    row = JobRun.objects.filter(name=name)
    row.update(started_at=timezone.now() - timedelta(minutes=late))
    assert only_on_deployment("videoq_billing.W013").msg.endswith(f": {name}.")
    row.update(started_at=timezone.now() - timedelta(minutes=late - 2))
    assert "videoq_billing.W013" not in ids(deploy=True)
    row.delete()
    assert name in only("videoq_billing.W013", deploy=True).msg


def test_w016_plans_are_seeded(site: Any) -> None:
    give(site, PLANS={"free": {"name": "Free"}, "pro": {"name": "Pro", "video_limit": 5}})
    assert ": pro." in only_on_deployment("videoq_billing.W016").msg
    seed_plans()
    assert "videoq_billing.W016" not in ids(deploy=True)


def test_w014_plans_are_at_stripe(site: Any) -> None:
    pro = make_plan(slug="pro", price_cents=1200)
    make_plan(slug="gone", price_cents=900, is_active=False)
    assert ": pro." in only_on_deployment("videoq_billing.W014").msg
    pro.stripe_price_id = "price_1"
    pro.save()
    assert "videoq_billing.W014" not in ids(deploy=True)


@about_mariadb
def test_w015_mariadb_snapshots(site: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET innodb_snapshot_isolation = ON")
        try:
            assert "DATABASES['default']" in only_on_deployment("videoq_billing.W015").msg
        finally:
            cursor.execute("SET innodb_snapshot_isolation = OFF")
    assert "videoq_billing.W015" not in ids(deploy=True)


def test_a_database_that_is_away_is_the_business_of_others(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.models.sql.compiler import SQLCompiler

    def away(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(SQLCompiler, "execute_sql", away)
    assert messages(deploy=True) == []
