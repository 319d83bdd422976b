"""The example site: SQLite, files and e-mail on this machine. For trying out, not for the internet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.utils.translation import gettext_lazy as _

VAR = Path(os.environ.get("EXAMPLE_VAR") or Path(__file__).resolve().parent / "var")
VAR.mkdir(exist_ok=True)

DEBUG = os.environ.get("DEBUG", "1").lower() not in ("0", "false", "no")
SECRET_KEY = os.environ.get("SECRET_KEY", "for development only; set SECRET_KEY in the environment")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
ROOT_URLCONF = "example_project.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "djstripe",
    "drf_spectacular",
    "rest_framework",
    "django_videoq_billing",
    "example_project.videos",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example_project.videos.policy.strict",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "db.sqlite3",
        # A writer takes its lock when it begins and others wait for it, instead of failing halfway.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
# A site of your own leaves this out. Here dj-stripe's tables are made as they are now (`migrate --run-syncdb`, after
# `migrate`): to go through their history takes 40 seconds, and a demo has none.
MIGRATION_MODULES = {"djstripe": None}
if url := os.environ.get("DATABASE_URL"):
    DATABASES = {"default": dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))}
if url := os.environ.get("REDIS_URL"):
    CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "library"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
MEDIA_ROOT = VAR / "media"
FILE_UPLOAD_HANDLERS = [
    "example_project.videos.uploadhandler.StopKeepingHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
VIDEOQ_MAX_UPLOAD_BYTES = 200 * 1024 * 1024

# E-mails go into files, which /mail/ shows.
EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR / "mail"

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

# `dev.py demo` sets these three for a local Stripe; with keys of your own account leave the base address out.
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "")
VIDEOQ_BILLING: dict[str, Any] = {  # everything else: three plans, by default
    # With a Redis usage is counted there; `manage.py run_billing_jobs --loop` brings it into the admin's tables.
    "USAGE_STORE": "redis" if os.environ.get("REDIS_URL") else "database",
    # Links to billing lead to the package's page, which urls.py includes: it stands in the site's own frame.
    "BASE_TEMPLATE": "videos/base.html",
    "NO_SCRIPT_URL": "plain-billing",
    "SITE_URL": os.environ.get("SITE_URL", "http://localhost:8000"),
    "SITE_NAME": "VideoQ",
    "EMAIL_FROM": "VideoQ <billing@example.com>",
    "CHECKOUT_SUCCESS_URL": "/billing/success/?session_id={CHECKOUT_SESSION_ID}",
    "CHECKOUT_CANCEL_URL": "/billing/",
    "STRIPE_SECRET_KEY": os.environ.get("STRIPE_SECRET_KEY", ""),
    "STRIPE_WEBHOOK_SECRET": os.environ.get("STRIPE_WEBHOOK_SECRET", ""),
    "STRIPE_API_BASE": STRIPE_API_BASE,
}

DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = VIDEOQ_BILLING["STRIPE_SECRET_KEY"] or "sk_test_none"
if STRIPE_API_BASE:
    STRIPE_API_HOST = STRIPE_API_BASE

# With the local Stripe the site lives at its time, which its console can advance by months.
STRIPE_SANDBOX = DEBUG and STRIPE_API_BASE.startswith(("http://127.0.0.1:", "http://localhost:"))
if STRIPE_SANDBOX:
    MIDDLEWARE.insert(0, "example_project.videos.sandbox_clock.follow_sandbox")
    SESSION_COOKIE_AGE = 10 * 365 * 86400  # who advances the time by months stays logged in
