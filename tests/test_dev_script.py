"""dev.py as a user meets it: in a copy of its own, through a real process."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.driver import wait_until

ROOT = Path(__file__).resolve().parent.parent
SITE = """
import http.server, os, pathlib, signal, sys

class Page(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(repr([sys.argv[1:], sorted(os.environ.items())]).encode())

if sys.argv[1] == "migrate" and "nowhere" in os.environ.get("DATABASE_URL", ""):
    sys.exit("could not translate host name")
elif sys.argv[1] == "migrate":
    print("Running migrations:\\n  Applying videos.0001_initial... OK")
elif sys.argv[1] == "setup_demo":
    print("unchanged free\\n  demo  secret")
elif sys.argv[1] == "demo_jobs" and pathlib.Path("unemployed").exists():
    sys.exit("no jobs today")
elif sys.argv[1] == "demo_jobs":
    pathlib.Path("jobs").write_text(repr([sys.argv[1:], os.environ["STRIPE_API_BASE"]]))
    signal.pause()
elif sys.argv[1] == "stripe_sandbox" and pathlib.Path("unreadable").exists():
    sys.exit("the saved state is unreadable")
else:
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1].rpartition(":")[2])), Page).serve_forever()
"""


def put_files(folder: Path) -> Path:
    for name in ("dev.py", "pyproject.toml", "tox.ini"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "example_project").mkdir()
    (folder / "example_project" / "manage.py").write_text(SITE)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Just enough of the repository for dev.py to begin its work."""
    return put_files(tmp_path)


@pytest.fixture(scope="module")
def installed_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the example site seems to be installed."""
    clone = put_files(tmp_path_factory.mktemp("installed"))
    module = load(clone)
    subprocess.run([sys.executable, "-m", "venv", clone / ".venv"], check=True)  # noqa: S603
    module.write_stamp(module.VENV, "demo", module.fingerprint(["-e", ".[demo]"]))
    return clone


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def load(clone: Path) -> Any:
    spec = importlib.util.spec_from_file_location("dev_of_the_clone", clone / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(**more: str) -> dict[str, str]:
    """Without what this machine tells pip, and with a package index that nobody answers for."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "DATABASE_URL"))
    }
    return {
        **kept,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        **more,
    }


def dev(clone: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the copy from another folder; `before` is Python to run first in the same process."""
    script = str(clone / "dev.py")
    program = f"import runpy, sys; {before or 'pass'}; runpy.run_path({script!r}, run_name='__main__')"
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", program, *arguments],
        cwd=clone.parent,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_a_sentence(result: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    for word in words:
        assert word in result.stderr


def test_alone_it_prints_help(clone: Path) -> None:
    result = dev(clone)
    assert result.returncode == 0
    assert "demo [--port PORT]" in result.stdout
    assert "test [PYTEST ARGS ...]" in result.stdout
    assert list(clone.glob(".venv")) == []


def test_an_unknown_command_gets_help_and_an_error(clone: Path) -> None:
    result = dev(clone, "deploy")
    assert result.returncode == 2
    assert "test [PYTEST ARGS ...]" in result.stdout


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_an_old_python_gets_a_sentence(clone: Path, version: tuple[int, ...]) -> None:
    result = dev(clone, "demo", before=f"sys.version_info = {version}")
    assert_a_sentence(result, f"This is Python {version[0]}.{version[1]}", "needs Python 3.11 or newer")
    assert not (clone / ".venv").exists()


def test_an_old_python_can_read_the_file() -> None:
    source = (ROOT / "dev.py").read_bytes()
    source.decode("ascii")  # Python 2.7 refuses anything else without a coding line
    tree = ast.parse(source, feature_version=(3, 7))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.YieldFrom, ast.Nonlocal)
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', '?')}"
        assert not isinstance(node, newer), where
        if isinstance(node, (ast.List, ast.Tuple)) and isinstance(node.ctx, ast.Load):
            assert not any(isinstance(item, ast.Starred) for item in node.elts), where
        elif isinstance(node, ast.Dict):
            assert None not in node.keys, where
        elif isinstance(node, ast.Raise):
            assert node.cause is None, where
        elif isinstance(node, ast.FunctionDef):
            assert (node.args.kwonlyargs, node.args.posonlyargs, node.returns) == ([], [], None), where
            assert [argument for argument in node.args.args if argument.annotation] == [], where


def test_a_python_newer_than_tested_is_only_a_note() -> None:
    module = load(ROOT)
    assert module.untested_python((3, 14, 1)) is None
    assert "Python 3.15 is newer than any" in module.untested_python((3, 15, 0))


def test_a_python_without_venv_is_told_what_to_install(clone: Path) -> None:
    result = dev(clone, "demo", before="sys.modules['ensurepip'] = None")
    assert_a_sentence(result, "no ensurepip module", "apt install python3-venv")


def test_a_port_asked_for_and_taken_is_said_before_anything_is_installed(
    clone: Path, taken_port: int
) -> None:
    result = dev(clone, "demo", "--port", str(taken_port))
    assert_a_sentence(result, f"Port {taken_port} is in use", "--port")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000.5", "²"])
def test_a_port_that_is_none(clone: Path, port: str) -> None:
    assert_a_sentence(dev(clone, "demo", f"--port={port}"), "a number from 1 to 65535", code=2)


def test_a_folder_that_cannot_be_written(clone: Path) -> None:
    (clone / ".cache").write_text("a file where a folder must be")
    assert_a_sentence(dev(clone, "demo"), "needs to write into its own folder")


def test_without_a_network_both_commands_say_so_and_break_nothing(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv" / "dev-unfinished").touch()  # as an interrupted install leaves it
    first = dev(clone, "demo")
    assert_a_sentence(first, "Is this machine online?", "PIP_INDEX_URL")
    assert "making it anew" in first.stdout
    second = dev(clone, "test")
    assert_a_sentence(second, "Is this machine online?", "PIP_INDEX_URL")
    assert "making it anew" not in second.stdout


def test_the_demo_answers_when_it_says_so_and_ctrl_c_ends_it_well(
    installed_clone: Path, taken_port: int
) -> None:
    module = load(installed_clone)
    port = module.next_free(taken_port)
    assert port != taken_port
    process = start_demo(installed_clone, port, STRIPE_SECRET_KEY="sk_live_of_somebody")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "/_sandbox/" in line:
            break
    assert "Applying videos.0001_initial... OK" in said
    assert f"runs at http://127.0.0.1:{port}/ " in said
    assert "demo  secret" in said
    assert "4242 4242 4242 4242" in said
    stripe = said.split()[-1].removesuffix("/_sandbox/")
    site, sandbox = read(f"http://127.0.0.1:{port}/"), read(stripe)
    assert f"('STRIPE_API_BASE', '{stripe}')" in site
    assert "sk_live_of_somebody" not in site + sandbox
    assert "'stripe_sandbox', '--state'" in sandbox
    assert f"'--forward-to', 'http://127.0.0.1:{port}/api/billing/webhook/stripe'" in sandbox
    told = repr([["demo_jobs", "--loop"], stripe])
    wait_until(lambda: (installed_clone / "jobs").exists() and (installed_clone / "jobs").read_text() == told)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert "Stopped." in rest
    assert process.returncode == 0
    assert module.is_free(port)
    assert module.is_free(int(stripe.rpartition(":")[2]))


def test_jobs_that_end_by_themselves_end_the_demo(installed_clone: Path, taken_port: int) -> None:
    module = load(installed_clone)
    port = module.next_free(taken_port)
    (installed_clone / "unemployed").touch()

    process = start_demo(installed_clone, port)
    _, complaint = process.communicate(timeout=30)
    (installed_clone / "unemployed").unlink()

    assert process.returncode == 1
    assert "no jobs today" in complaint
    assert "The run of the jobs ended by itself with exit code 1." in complaint
    assert module.is_free(port)


def test_a_sandbox_that_does_not_start_is_a_sentence(installed_clone: Path, taken_port: int) -> None:
    module = load(installed_clone)
    port = module.next_free(taken_port)
    (installed_clone / "unreadable").touch()

    process = start_demo(installed_clone, port)
    _, complaint = process.communicate(timeout=30)
    (installed_clone / "unreadable").unlink()

    assert process.returncode == 1
    assert "the saved state is unreadable" in complaint
    assert "The local Stripe did not start; what is wrong stands above." in complaint
    assert "Traceback" not in complaint
    assert module.is_free(port)


def test_a_wrong_database_url_is_named_and_nothing_is_to_be_deleted(
    installed_clone: Path, taken_port: int
) -> None:
    port = load(installed_clone).next_free(taken_port)

    process = start_demo(installed_clone, port, DATABASE_URL="postgres://nowhere/site")
    _, complaint = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "could not translate host name" in complaint
    assert "Is DATABASE_URL right?" in complaint
    assert "delete" not in complaint


def test_site_and_sandbox_never_ask_for_the_same_port(clone: Path, taken_port: int) -> None:
    module = load(clone)
    port = module.next_free(taken_port)
    assert module.next_free(port, but_not=port) != port


def start_demo(clone: Path, port: int, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, str(clone / "dev.py"), "demo", "--port", str(port)],
        env=environment(DJANGO_SETTINGS_MODULE="another.project", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(address: str) -> str:
    with urllib.request.urlopen(address) as page:  # noqa: S310 - http
        text: str = page.read().decode()
        return text
