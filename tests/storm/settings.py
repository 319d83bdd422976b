"""The site of the storm's processes; what differs from run to run comes from the environment."""

from __future__ import annotations

import json
import os
from typing import Any

import dj_database_url

SECRET_KEY = "for tests only"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_videoq_billing"]
MIGRATION_MODULES: dict[str, None] = dict.fromkeys(("contenttypes", "auth", "videoq_billing"))
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
PATIENCE = float(os.environ.get("STORM_PATIENCE", "1"))
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "usage": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ.get("STORM_REDIS", "redis://127.0.0.1:1/0"),
        "OPTIONS": {"SOCKET_TIMEOUT": PATIENCE, "SOCKET_CONNECT_TIMEOUT": PATIENCE},
    },
}
LOGGING_CONFIG = None
VIDEOQ_BILLING = {
    "USAGE_REDIS_ALIAS": "usage",
    "RESERVATION_SECONDS": 3600,
    **json.loads(os.environ.get("STORM_BILLING", "{}")),
}
