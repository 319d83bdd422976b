from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management.base import CommandError

from django_videoq_billing.sandbox.config import DEFAULT_KEY
from tests.commands.conftest import Run
from tests.sandbox.driver import free_port

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "stripe_sandbox", *sys.argv[1:]])
"""


def test_it_refuses_without_debug(run: Run, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="runs with DEBUG = True, or with --without-debug"):
        run("stripe_sandbox")


def test_it_refuses_other_than_loopback(run: Run, settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="listens on loopback only"):
        run("stripe_sandbox", host="0.0.0.0")  # noqa: S104 (refused)


def test_it_says_how_to_get_the_extra(run: Run, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    monkeypatch.delitem(sys.modules, "django_videoq_billing.sandbox.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(CommandError, match=r"pip install 'django-videoq-billing\[sandbox\]'"):
        run("stripe_sandbox")


def test_it_serves_the_sites_own_key_until_it_is_stopped() -> None:
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-c", PROGRAM, "--port", str(port), "--without-debug"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == (
            f"Stripe sandbox on http://127.0.0.1:{port} (console: http://127.0.0.1:{port}/_sandbox/)\n"
        )
        transport = httpx.HTTPTransport(retries=6)  # it listens a moment later
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            answer = client.get("/v1/account", headers={"Authorization": f"Bearer {DEFAULT_KEY}"})
            assert answer.status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
