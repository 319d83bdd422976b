"""The sandbox as a process of its own: started once for each process that runs tests, and gone with it."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django_videoq_billing.testing.errors import SandboxError

Json = dict[str, Any]

HOST = "127.0.0.1"
KEY = "sk_test_thetestsofahostproject000"  # dj-stripe takes no key that does not look like Stripe's
START = 1_780_315_200
"""2026-06-01T12:00:00Z, where time begins in every test: a test must not fail on the 31st of a month.

June has 30 days, so `days=31` is past the next renewal, and so is every further one.
"""

PARTS = ("httpx", "jinja2", "python_multipart", "starlette", "uvicorn")
STARTS_WITHIN = 30.0
ATTEMPTS = 3


class SandboxProcess:
    """A local Stripe on a free port of this machine, which the constructor waits for."""

    def __init__(self, *options: str) -> None:
        """`options` are those of `python -m django_videoq_billing.sandbox`. Raises SandboxError."""
        check_extra()
        self._log = TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        for attempt in range(1, ATTEMPTS + 1):
            self.port = free_port()
            self._process = self._launch(options)
            if self._is_up():
                return
            said = self.log
            self._process.communicate()  # it has ended
            if attempt == ATTEMPTS or "address already in use" not in said:
                self._log.close()
                raise SandboxError(f"The sandbox did not start.\n{said}".strip())

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _launch(self, options: tuple[str, ...]) -> subprocess.Popen[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_SANDBOX_")}
        home = str(Path(__file__).parents[2])  # wherever this process has found the package
        return subprocess.Popen(  # noqa: S603 - our own module
            [
                *(sys.executable, "-m", "django_videoq_billing.sandbox"),
                *("--port", str(self.port), "--with-parent", *options),
            ],
            env={**own, "PYTHONPATH": os.pathsep.join(filter(None, [home, own.get("PYTHONPATH")]))},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            text=True,
        )

    def _is_up(self) -> bool:
        deadline = time.monotonic() + STARTS_WITHIN
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(SandboxError):
                return bool(self.get("health")["ok"])
            time.sleep(0.02)  # between two looks at a process that starts, with a deadline
        self._process.kill()
        return False

    def stop(self, *, kill: bool = False) -> None:
        """End it; with `kill` it has no chance to say goodbye. Safe to call twice."""
        (self._process.kill if kill else self._process.terminate)()
        with suppress(BrokenPipeError):
            self._process.communicate(timeout=10)
        self._log.close()

    def get(self, path: str) -> Json:
        return self._ask("GET", path)

    def control(self, path: str, /, **body: Any) -> Json:
        """Call the control API (see `django_videoq_billing.sandbox.control`). Raises SandboxError."""
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None = None) -> Json:
        connection = HTTPConnection(HOST, self.port, timeout=30)  # knows of no proxy
        try:
            connection.request(method, f"/_sandbox/{path}", body)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode()
        except (OSError, HTTPException) as error:
            raise SandboxError(f"The sandbox on port {self.port} does not answer: {error}") from error
        finally:
            connection.close()
        if status != 200:
            raise SandboxError(f"The sandbox answered {status} to {path}: {text}")
        result: Json = json.loads(text)
        return result


def check_extra() -> None:
    """Raises SandboxError where the extra is not installed."""
    missing = [name for name in PARTS if find_spec(name) is None]
    if missing:
        raise SandboxError(
            "The sandbox needs its extra: pip install 'django-videoq-billing[testing]' "
            f"({', '.join(missing)} missing)."
        )


def shared_process() -> SandboxProcess:
    """Return the one sandbox of this process (of each, where a test runner forks), started on first use."""
    return _process_of(os.getpid())


@cache
def _process_of(pid: int) -> SandboxProcess:
    process = SandboxProcess("--api-key", KEY, "--seed", "tests", "--start", str(START))
    atexit.register(process.stop)
    return process


def free_port() -> int:
    """A port below those that the system gives to outgoing connections: a server may leave it and come back to it."""
    for _ in range(100):
        port = 10_000 + secrets.randbelow(20_000)  # not `random`, which workers of one run seed alike
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port
    raise OSError("There is no free port.")
