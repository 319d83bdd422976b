"""The process: its options, its state file, its clock, its test clocks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import stripe

from django_videoq_billing.sandbox import cli as command
from django_videoq_billing.sandbox import control
from django_videoq_billing.sandbox.config import SandboxConfig
from django_videoq_billing.testing import SandboxError
from tests.sandbox.driver import DAY, KEY, START, Driver, running, wait_until

PACKAGE = Path(command.__file__).parent


def test_only_loopback() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        assert SandboxConfig(host=host).host == host
    for host in ("0.0.0.0", "10.0.0.1", "example.com", ""):  # noqa: S104
        with pytest.raises(ValueError, match="loopback"):
            SandboxConfig(host=host)
    assert command.main(["--host", "0.0.0.0"]) == 1  # noqa: S104


def test_no_live_keys() -> None:
    with pytest.raises(ValueError, match="takes no live keys"):
        SandboxConfig(api_keys=("sk_test_a", "rk_live_b"))
    assert command.main(["--api-key", "sk_live_of_somebody"]) == 1


def test_options_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SANDBOX_PORT", "4242")
    monkeypatch.setenv("STRIPE_SANDBOX_API_KEY", "sk_test_env")
    config = command.config_from(command.parser().parse_args(["--seed", "s", "--start", "5"]))
    assert (config.port, config.api_keys, config.seed, config.start) == (4242, ("sk_test_env",), "s", 5)
    assert (config.retry_days, config.after_retries) == ((3, 5, 7), "cancel")
    config = command.config_from(command.parser().parse_args(["--api-key", "a", "--api-key", "b"]))
    assert (config.api_keys, config.url) == (("a", "b"), "http://127.0.0.1:4242")


def test_state_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state" / "sandbox.json"
    options = ("--state", str(file), "--start", str(START), "--seed", "s")
    with running(*options) as first:
        made = first.subscribe(first.customer().id, first.price().id)
        first.advance(days=3)
        first.control("switches", duplicate=1)
        now = first.now()
    assert json.loads(file.read_text())["version"] == 1
    with running(*options) as second:
        assert second.status(made.id) == "active"
        assert second.now() == now
        assert second.http.get("/_sandbox/switches").json()["duplicate"] == 1
        second.advance(days=29)
        assert second.new_types()[-1] == "invoice.paid"
        assert second.customer(None).id not in {
            one["data"]["object"]["id"] for one in second.all_events()[:3]
        }


def contains(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def test_what_was_saved_survives_a_kill(tmp_path: Path) -> None:
    """Killed again and again while it writes: each start finds a whole file, with all that was saved before."""
    file = tmp_path / "sandbox.json"
    options = ("--state", str(file), "--start", str(START))
    names: set[str] = set()
    for turn in range(5):
        with running(*options, kill=True) as sandbox:
            assert {str(one.name) for one in sandbox.api.customers.list(params={"limit": 100}).data} >= names
            sandbox.api.customers.create(params={"name": f"{turn}"})
            sandbox.control("switches", duplicate=turn)
            names.add(f"{turn}")
            wait_until(partial(contains, file, f'"name": "{turn}"'))
            for _ in range(20 * turn):
                sandbox.api.customers.create(params={"description": "while it writes"})
        assert json.loads(file.read_text())["version"] == 1
    (tmp_path / ".sandbox.json.1").write_text('{"half": ')
    with running(*options) as sandbox:
        assert sandbox.http.get("/_sandbox/switches").json()["duplicate"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.json"]


def test_the_clock_is_saved_though_nothing_happens(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with running("--state", str(file), "--start", str(START), kill=True) as sandbox:
        sandbox.advance(days=3)
        wait_until(
            lambda: file.exists() and json.loads(file.read_text())["clock"]["frozen_at"] == START + 3 * DAY
        )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 0}', '{"version": 1}'])
def test_a_state_file_that_cannot_be_read_is_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sandbox.json"
    file.write_text(content)
    with pytest.raises(SandboxError, match="cannot be read by this version"), running("--state", str(file)):
        pass
    assert file.read_text() == content


def test_a_new_forwarding_address_joins_an_old_state(tmp_path: Path) -> None:
    file = str(tmp_path / "sandbox.json")
    with running("--state", file) as first:
        first.customer(None)
    with running("--state", file, "--forward-to", "http://127.0.0.1:9/hook") as second:
        assert [one.url for one in second.api.webhook_endpoints.list().data] == ["http://127.0.0.1:9/hook"]
        assert len(second.api.customers.list().data) == 1


def test_every_control_route_is_documented() -> None:
    documented = {line.split()[1] for line in str(control.__doc__).splitlines() if " /_sandbox/" in line}
    routes = {route.path for route in control.ROUTES}
    assert {re.sub(r"\{[^}]+\}", "{}", path) for path in routes} == {
        re.sub(r"\{[^}]+\}", "{}", path) for path in documented
    }


def test_a_seed_repeats_the_story(sandbox: Driver) -> None:
    first = sandbox.customer().id
    sandbox.reset()
    assert sandbox.customer().id == first


def test_real_time_runs_and_jumps() -> None:
    with running("--forward-to", "http://127.0.0.1:9/hook", "--webhook-secret", "whsec_x") as live:
        before = live.now()
        live.advance(days=40)
        assert 0 <= live.now() - before - 40 * DAY < 60
        endpoint = live.api.webhook_endpoints.list().data[0]
        assert endpoint.url == "http://127.0.0.1:9/hook"


def test_test_clocks_move_the_sandbox(sandbox: Driver) -> None:
    clock = sandbox.api.test_helpers.test_clocks.create(params={"frozen_time": START + DAY, "name": "mine"})
    assert sandbox.now() == START + DAY
    customer = sandbox.customer(test_clock=clock.id)
    made = sandbox.subscribe(customer.id, sandbox.price().id)
    advanced = sandbox.api.test_helpers.test_clocks.advance(
        clock.id, params={"frozen_time": START + 40 * DAY}
    )
    assert advanced.status == "advancing"
    assert sandbox.api.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert len(sandbox.api.invoices.list(params={"subscription": made.id}).data) == 2
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.test_helpers.test_clocks.advance(clock.id, params={"frozen_time": START})
    assert sandbox.api.test_helpers.test_clocks.delete(clock.id).deleted


def test_control_says_what_it_does_not_know(sandbox: Driver) -> None:
    answer = sandbox.http.post("/_sandbox/switches", json={"shufle": True})
    assert answer.status_code == 400
    assert "shufle" in answer.text
    assert sandbox.http.post("/_sandbox/clock", content="not json").status_code == 400
    assert sandbox.http.post("/_sandbox/customers/cus_none/fail_next").status_code == 404


def test_importing_the_package_needs_no_extra() -> None:
    code = "import sys; import django_videoq_billing.sandbox; print({'starlette', 'django'} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.strip() == "set()"


def test_the_process_needs_no_django() -> None:
    code = (
        "import sys; from django_videoq_billing.sandbox import server; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'django', 'djstripe', 'stripe'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.strip() == "[]"
    assert KEY.startswith("sk_test_")


def test_no_module_outgrows_its_reader() -> None:
    sizes = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
