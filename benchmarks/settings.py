"""Django's settings for one run; the servers' addresses come from the environment, where `servers` puts them."""

from __future__ import annotations

import json
import os
from typing import Any

import dj_database_url

POPULATIONS: dict[str, dict[str, str]] = json.loads(os.environ.get("BENCHMARK_POPULATIONS", "{}"))
"""By the name of a population: the addresses of its `database`, and of one Redis for each side, `redis` for ours."""

SECRET_KEY = "for benchmarks only"
USE_TZ = True
TIME_ZONE = "UTC"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "djstripe",
    "rest_framework",
    "django_videoq_billing",
]


class NoMigrations:
    """Tables are made from the models at once: dj-stripe's history alone would take half a minute."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = NoMigrations()


def _database(url: str) -> dict[str, Any]:
    return {**dj_database_url.parse(url), "CONN_MAX_AGE": None}


def _cache(url: str) -> dict[str, Any]:
    return {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}


DATABASES = {
    "default": _database(os.environ.get("BENCHMARK_DATABASE", "sqlite://:memory:")),
    **{name: _database(urls["database"]) for name, urls in POPULATIONS.items()},
}
DATABASE_ROUTERS = ["benchmarks.people.Router"]
CACHES = {
    "default": _cache(os.environ.get("BENCHMARK_REDIS", "redis://127.0.0.1:6379")),
    **{name: _cache(urls["redis"]) for name, urls in POPULATIONS.items()},
}

DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = os.environ.get("BENCHMARK_STRIPE_KEY", "sk_test_benchmarks")
STRIPE_API_HOST = os.environ.get("BENCHMARK_STRIPE", "http://127.0.0.1:9")

VIDEOQ_BILLING: dict[str, Any] = {}
