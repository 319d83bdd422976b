"""Neither library is needed, and neither is asked for what the host has not set up."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from django_videoq_billing import instruments
from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.services import health
from django_videoq_billing.services.usage_tracker import UsageTracker


def run(program: str) -> str:
    answer = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings_base"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_without_them_a_site_starts_and_nothing_is_told() -> None:
    told = run(
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['prometheus_client', 'opentelemetry']))\n"
        "import django; django.setup()\n"
        "from django_videoq_billing import instruments\n"
        "print(instruments._meters, instruments.opentelemetry.tracer())\n"
        "instruments.count('admitted', metric='video'); instruments.observe('webhook_lag_seconds', 1)\n"
        "with instruments.span('reserve', amount=1) as span: span.set(granted=True)\n"
    )
    assert told == "None None\n"


@pytest.mark.django_db
def test_without_them_usage_is_counted(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "_meters", None)
    monkeypatch.setattr(instruments.opentelemetry, "tracer", lambda: None)
    with UsageTracker.reserve(user, "video", 3):
        pass
    with pytest.raises(QuotaExceeded):
        UsageTracker.reserve(user, "video")
    assert all(finding.ok for finding in health.check_all().values())


def test_a_provider_that_the_host_sets_up_later_is_found() -> None:
    told = run(
        "import django; django.setup()\n"
        "from django_videoq_billing import instruments\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "exporter = InMemorySpanExporter()\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(exporter))\n"
        "with instruments.span('reserve'): pass\n"
        "trace.set_tracer_provider(provider)\n"
        "with instruments.span('flush'): pass\n"
        "print(*[span.name for span in exporter.get_finished_spans()])\n"
    )
    assert told == "videoq_billing.flush\n"
