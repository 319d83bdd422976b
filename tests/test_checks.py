from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import checks
from django.core.checks.registry import registry
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import modify_settings, override_settings
from django_redis import get_redis_connection

from django_videoq_billing.conf import get_settings
from django_videoq_billing.usage import DatabaseUsageStore

pytestmark = pytest.mark.django_db  # some that run on deployment alone ask the database


def billing(**given: Any) -> Any:
    return override_settings(VIDEOQ_BILLING=given)


def messages(*, deploy: bool = False) -> list[checks.CheckMessage]:
    return checks.run_checks(tags=["videoq_billing"], include_deployment_checks=deploy)


def only(expected_id: str, *, deploy: bool = False) -> checks.CheckMessage:
    """Return the one message with this id; every message must come with a hint and an id of ours."""
    found = messages(deploy=deploy)
    assert all(
        message.hint and re.fullmatch(r"videoq_billing\.[EW]\d{3}", message.id or "") for message in found
    )
    (message,) = [message for message in found if message.id == expected_id]
    return message


def ids(*, deploy: bool = False) -> list[str | None]:
    return [message.id for message in messages(deploy=deploy)]


class AbstractStore(DatabaseUsageStore):
    """Cannot be made: it lacks something."""

    def __init__(self) -> None:
        raise TypeError("no server named")


class OwnStore(DatabaseUsageStore):
    """What a host may write."""


def test_a_sound_project_is_silent() -> None:
    with billing(UPGRADE_URL="/plans/"):
        assert messages() == []


def test_e001_missing_apps() -> None:
    with modify_settings(INSTALLED_APPS={"remove": ["rest_framework", "rest_framework.authtoken"]}):
        message = only("videoq_billing.E001")
    assert message.msg == "INSTALLED_APPS lacks rest_framework."
    assert isinstance(message, checks.Error)
    assert "videoq_billing.E001" not in ids()


@pytest.mark.parametrize(
    "path",
    [
        "nowhere.Store",
        "django_videoq_billing.usage.NoStore",
        "django_videoq_billing.types.Period",
        "django_videoq_billing.usage.UsageStore",
        "django_videoq_billing.usage.get_store",
        "tests.test_checks.AbstractStore",
    ],
)
def test_e002_usage_store(path: str) -> None:
    with billing(USAGE_STORE=path):
        message = only("videoq_billing.E002")
    assert "USAGE_STORE" in message.msg


@pytest.mark.parametrize("path", ["database", "tests.test_checks.OwnStore"])
def test_e002_usage_store_silent(path: str) -> None:
    with billing(USAGE_STORE=path):
        assert "videoq_billing.E002" not in ids()


def test_e003_upgrade_url() -> None:
    with billing(UPGRADE_URL="no-such-page"):
        assert "'no-such-page'" in only("videoq_billing.E003").msg


@pytest.mark.parametrize("target", ["", "/plans/", "https://example.com/plans", "admin:index"])
def test_e003_upgrade_url_silent(target: str) -> None:
    with billing(UPGRADE_URL=target):
        assert "videoq_billing.E003" not in ids()


@override_settings(ROOT_URLCONF="no.such.module")
def test_e003_needs_no_urlconf_for_a_path() -> None:
    with billing(UPGRADE_URL="/plans/"):
        assert messages() == []


def test_e004_time_zones() -> None:
    with override_settings(USE_TZ=False):
        message = only("videoq_billing.E004")
    assert message.hint == "Set USE_TZ = True."
    assert "videoq_billing.E004" not in ids()


def test_w001_upgrade_url_is_set() -> None:
    with billing():
        assert isinstance(only("videoq_billing.W001", deploy=True), checks.Warning)
        assert ids() == []  # on deployment only
    with billing(UPGRADE_URL="/plans/"):
        assert "videoq_billing.W001" not in ids(deploy=True)


@pytest.mark.parametrize("options", [{}, {"transaction_mode": None}, {"transaction_mode": "DEFERRED"}])
def test_w002_sqlite_transactions(monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    monkeypatch.setattr(settings, "DATABASES", {"default": {"ENGINE": ""}, "other": database})
    message = only("videoq_billing.W002", deploy=True)
    assert message.msg.startswith("DATABASES['other'] is SQLite")
    assert ids() == []  # on deployment only


@pytest.mark.parametrize(
    "database",
    [
        {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "immediate"}},
        {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "EXCLUSIVE"}},
        {"ENGINE": "django.db.backends.postgresql"},
        {},
    ],
)
def test_w002_sqlite_transactions_silent(monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    monkeypatch.setattr(settings, "DATABASES", {"default": database})
    assert "videoq_billing.W002" not in ids(deploy=True)


def test_checks_make_no_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        messages()


def test_checks_run_with_the_command() -> None:
    assert "videoq_billing" in registry.tags_available()
    with billing(USAGE_STORE="nowhere.Store"), pytest.raises(SystemCheckError, match=r"E002"):
        call_command("check", "--tag", "videoq_billing")
    assert get_settings().USAGE_STORE == "database"


def test_e002_a_cache_that_is_not_redis() -> None:
    with billing(USAGE_STORE="redis"):
        message = only("videoq_billing.E002")
    assert "CACHES['default'] is no cache of django-redis" in message.msg


def test_e002_a_factory_that_makes_something_else() -> None:
    with billing(USAGE_STORE="redis", USAGE_REDIS_FACTORY="builtins.dict"):
        assert "must return a redis.Redis" in only("videoq_billing.E002").msg


@pytest.mark.django_db
def test_w004_a_redis_that_does_not_answer(redis_settings: Any) -> None:
    redis_settings.CACHES = {
        "usage": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert "does not answer" in only("videoq_billing.W004", deploy=True).msg
    assert "videoq_billing.W004" not in ids(), "it asks a server, and so runs with --deploy alone"


@pytest.mark.parametrize(
    ("policy", "maxmemory", "warned"),
    [("allkeys-lru", "100mb", True), ("volatile-lru", "100mb", False), ("allkeys-lru", "0", False)],
)
def test_w005_a_redis_that_evicts(redis_settings: Any, policy: str, maxmemory: str, warned: bool) -> None:
    client = get_redis_connection("usage")
    before = client.config_get("maxmemory*")
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", maxmemory)
    try:
        assert ("videoq_billing.W005" in ids(deploy=True)) is warned
        if warned:
            assert policy in only("videoq_billing.W005", deploy=True).msg
    finally:
        for name in ("maxmemory-policy", "maxmemory"):
            client.config_set(name, before[name])


@pytest.mark.parametrize(
    ("durability", "appends", "warned"),
    [("async", "no", True), ("sync", "no", False), ("async", "yes", False)],
)
def test_w006_a_redis_that_forgets(redis_settings: Any, durability: str, appends: str, warned: bool) -> None:
    redis_settings.VIDEOQ_BILLING = {**redis_settings.VIDEOQ_BILLING, "USAGE_DURABILITY": durability}
    client = get_redis_connection("usage")
    before = client.config_get("appendonly")
    client.config_set("appendonly", appends)
    try:
        assert ("videoq_billing.W006" in ids(deploy=True)) is warned
    finally:
        client.config_set("appendonly", before["appendonly"])
