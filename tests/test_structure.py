from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from django_videoq_billing import models
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests import run_checks

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "django_videoq_billing"

# Everything that pyproject.toml puts into an extra, and what later parts will put into one.
EXTRAS = [
    *("drf_spectacular", "av", "dj_database_url", "psycopg", "celery", "factory", "hypothesis"),
    *("prometheus_client", "opentelemetry"),
]


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_module_outgrows_its_reader() -> None:
    sizes = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 300} == {}


def test_importing_the_package_does_not_import_django() -> None:
    run = run_python(
        "import sys, django_videoq_billing as package\n"
        "print(package.__version__, *[name for name in sys.modules if name.split('.')[0] == 'django'])"
    )
    assert run.stderr == ""
    assert len(run.stdout.split()) == 1


def test_every_module_can_be_imported_without_the_extras() -> None:
    run = run_python(
        "import importlib, pkgutil, sys\n"
        f"sys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
        "import django\n"
        "from django.conf import settings\n"
        "settings.configure(USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField', INSTALLED_APPS=[\n"
        "    'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',\n"
        "    'django.contrib.messages', 'django.contrib.sessions', 'rest_framework', 'django_videoq_billing'])\n"
        "django.setup()\n"
        "import django_videoq_billing as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "    print(module.name)\n"
    )
    assert run.returncode == 0, run.stderr
    assert "django_videoq_billing.api.views" in run.stdout.split()


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (
            "SubscriptionPlan",
            "name slug description price_cents currency video_limit transcription_limit_minutes features "
            "stripe_price_id stripe_product_id is_active sort_order created_at updated_at",
        ),
        (
            "UserSubscription",
            "user plan stripe_subscription_id stripe_customer_id status current_period_start "
            "current_period_end cancel_at_period_end cancelled_at created_at updated_at",
        ),
        (
            "UsageRecord",
            "user billing_period_start billing_period_end video_count transcription_seconds "
            "last_video_uploaded_at last_transcription_at",
        ),
        (
            "TranscriptionJob",
            "user duration_seconds cost_cents whisper_model status error_message",
        ),
        ("PaymentTransaction", "user amount_cents currency type status"),
    ],
)
def test_the_seeds_models_have_the_seeds_fields(model: str, fields: str) -> None:
    names = {field.name for field in getattr(models, model)._meta.get_fields()}
    assert set(fields.split()) - names == set()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_usage", ["user"]),
        ("can_upload_video", ["user"]),
        ("can_transcribe", ["user", "duration_seconds"]),
        ("increment_video_count", ["user", "amount"]),
        ("increment_transcription_seconds", ["user", "seconds"]),
    ],
)
def test_the_seeds_tracker_is_called_on_the_class(method: str, arguments: list[str]) -> None:
    function: Any = getattr(UsageTracker, method)
    assert list(inspect.signature(function).parameters) == arguments


def test_public_names_of_models() -> None:
    assert sorted(models.__all__) == [
        "DailyFigures",
        "DailyMoney",
        "EmailPreference",
        "ExtraAllowance",
        "JobRun",
        "Notification",
        "PaymentTransaction",
        "RecurringAmount",
        "SubscriptionPlan",
        "TranscriptionJob",
        "UsageAlert",
        "UsageCorrection",
        "UsageJournal",
        "UsageRecord",
        "UsageRefusal",
        "UsageReservation",
        "UsageSettlement",
        "UserSubscription",
        "WebhookEvent",
    ]


@pytest.mark.parametrize("command", ["seed_plans", "assign_default_plan", "show_usage"])
def test_commands(command: str) -> None:
    assert get_commands()[command] == "django_videoq_billing"


def test_every_test_that_needs_postgresql_is_run_on_it() -> None:
    chosen = run_checks.ON_POSTGRES.split()
    marked = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.postgres" in path.read_text(encoding="utf-8") and path.name != Path(__file__).name
    ]
    assert marked
    assert [path for path in marked if not path.startswith(tuple(chosen))] == []
