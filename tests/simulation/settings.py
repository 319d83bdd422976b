"""The site of the simulation's processes; where its servers are comes from the environment."""

from __future__ import annotations

import json
import os
from typing import Any

import dj_database_url

SECRET_KEY = "for tests only"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
ALLOWED_HOSTS = ["testserver"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.simulation.urls"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "django_videoq_billing",
]
MIGRATION_MODULES: dict[str, None] = dict.fromkeys(("contenttypes", "auth", "videoq_billing"))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=None)}
DATABASES["default"].setdefault("OPTIONS", {})["options"] = (
    "-c synchronous_commit=off"  # this server does not die
)
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "usage": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["SIMULATION_REDIS"],
        "OPTIONS": {"SOCKET_TIMEOUT": 20, "SOCKET_CONNECT_TIMEOUT": 20},  # a busy machine is no fault
    },
}
EMAIL_BACKEND = "tests.simulation.mail.Postbox"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"log": {"class": "logging.FileHandler", "filename": os.environ["SIMULATION_LOG"]}},
    "root": {"handlers": ["log"], "level": "WARNING"},
}
VIDEOQ_BILLING = {
    "PLANS": {
        "free": {"name": "Free", "video_limit": 3, "transcription_limit_minutes": 30},
        "standard": {
            "name": "Standard",
            "price_cents": 1200,
            "video_limit": 20,
            "transcription_limit_minutes": 120,
            "sort_order": 1,
        },
        "pro": {
            "name": "Pro",
            "price_cents": 2500,
            "video_limit": 40,
            "transcription_limit_minutes": 300,
            "trial_days": 14,
            "sort_order": 2,
        },
        "premium": {
            "name": "Premium",
            "price_cents": 4900,
            "transcription_limit_minutes": 1000,
            "sort_order": 3,
        },
        "yen": {
            "name": "Yen",
            "price_cents": 980,
            "currency": "JPY",
            "video_limit": 10,
            "transcription_limit_minutes": 60,
            "sort_order": 4,
        },
    },
    "USAGE_STORE": "redis",
    "USAGE_REDIS_ALIAS": "usage",
    "USAGE_REDIS_AWAY": "refuse",  # then no limit is passed, whatever dies
    "STRIPE_MAX_NETWORK_RETRIES": 0,
    "WEBHOOK_PROCESSING": "worker",
    "EMAIL_SENDING": "worker",
    "EMAIL_FROM": "VideoQ <billing@example.com>",
    "SITE_URL": "https://videos.example.com",
    **json.loads(os.environ["SIMULATION_BILLING"]),
}
