"""The process beside the tests, Django's clock, and what a host imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import timezone
from django.utils.timezone import now as imported_by_name

import django_videoq_billing.testing
from django_videoq_billing.services import refusal_notes, usage_alerts
from django_videoq_billing.testing import BillingSandbox, SandboxError
from django_videoq_billing.testing.clock import django_clock
from django_videoq_billing.testing.process import KEY, SandboxProcess, shared_process
from tests.factories import make_user
from tests.sandbox.driver import wait_until

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from django_videoq_billing.testing.process import shared_process
print(shared_process()._process.pid, flush=True)
sys.stdin.read()
"""


def test_one_process_serves_all_tests_of_a_worker() -> None:
    assert shared_process() is shared_process()


def test_processes_do_not_share_their_sandbox() -> None:
    other = SandboxProcess("--api-key", KEY)
    try:
        assert other.url != shared_process().url
        assert other.get("health")["ok"]
    finally:
        other.stop()


def test_a_sandbox_that_is_gone_is_named() -> None:
    other = SandboxProcess()
    other.stop(kill=True)
    with pytest.raises(SandboxError, match=f"on port {other.port} does not answer"):
        other.control("reset")


def test_what_was_noticed_of_users_that_are_rolled_back_is_forgotten(db: None) -> None:
    with BillingSandbox():
        usage_alerts.noticed.add("a warning")
        refusal_notes.noted.add("a refusal")
    assert "a warning" not in usage_alerts.noticed
    assert "a refusal" not in refusal_notes.noted


def test_the_hosts_own_sandbox_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIPE_SANDBOX_STATE", str(tmp_path / "state.json"))
    monkeypatch.setenv("STRIPE_SANDBOX_FORWARD_TO", "http://127.0.0.1:9/")
    other = SandboxProcess()
    try:
        assert other.get("objects/webhook_endpoint")["objects"] == []
    finally:
        other.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["quietly", "killed"])
def test_the_sandbox_is_gone_with_who_started_it(end: str) -> None:
    with subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert is_alive(pid)
        if end == "killed":
            holder.send_signal(signal.SIGKILL)
        holder.stdin.close()
    wait_until(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    """Whether it runs; one that ended and that nobody has asked for yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_clock_that_is_led() -> None:
    moment = datetime(2031, 5, 4, 23, 30, tzinfo=UTC)
    with django_clock(moment) as clock:
        assert timezone.now() == imported_by_name() == moment
        assert timezone.localdate(timezone=timezone.get_fixed_timezone(60)) == date(2031, 5, 5)
        with timezone.override(timezone.get_fixed_timezone(60)):
            shown = Template("{{ moment|date:'Y-m-d H:i' }}").render(Context({"moment": moment}))
        assert shown == "2031-05-05 00:30"
        clock.moment = datetime(2032, 1, 1, tzinfo=UTC)
        assert timezone.now().year == 2032
        assert type(timezone.now()) is datetime
    assert timezone.now().year < 2031 or datetime.now(UTC).year >= 2031


def test_a_clock_of_a_site_without_time_zones(settings: Any) -> None:
    settings.USE_TZ = False
    with django_clock(datetime(2031, 5, 4, 12, tzinfo=UTC)):
        assert timezone.now().tzinfo is None


def test_a_moment_of_the_clock_can_be_stored(db: None) -> None:
    moment = datetime(2031, 5, 4, tzinfo=UTC)
    with django_clock(moment):
        user = make_user()
    user.refresh_from_db()
    assert user.date_joined == moment


def test_public_names() -> None:
    testing = django_videoq_billing.testing
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []
    with pytest.raises(AttributeError, match="has no attribute 'BillingTest'"):
        _ = testing.BillingTest


@pytest.mark.parametrize("module", ["testing", "testing.plugin"])
def test_a_plugin_is_loaded_before_django_is_ready(module: str) -> None:
    program = (
        f"import sys, django_videoq_billing.{module}; "
        "print([name for name in sys.modules if name in ('django.db', 'stripe', 'httpx')])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
