"""Celery's worker and beat in processes of their own, in the test's database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


class Celery:
    """A worker with two children, and beat. What they write is kept in `directory`."""

    def __init__(self, broker: str, directory: Path) -> None:
        self.directory = directory
        name = connection.settings_dict["NAME"]  # of the test database
        self._env = {
            **os.environ,
            "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
            "DJANGO_SETTINGS_MODULE": "tests.celery_settings",
            "VIDEOQ_BILLING": json.dumps(settings.VIDEOQ_BILLING),
            "BROKER_URL": broker,
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        common = ["--loglevel", "info"]
        self._start("worker", "--concurrency", "2", "--without-gossip", "--without-mingle", *common)
        self._start("beat", "--schedule", str(self.directory / "beat"), "--pidfile", "", *common)

    def _start(self, *arguments: str) -> None:
        with (self.directory / f"{arguments[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "celery", "-A", "tests.celery_site", *arguments]
            process = subprocess.Popen(  # noqa: S603 (our own command)
                command, env=self._env, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)

    def kill(self) -> None:
        """SIGKILL, for the children too: none can finish or tidy up."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes = []
