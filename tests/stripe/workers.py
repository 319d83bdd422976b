"""Workers in processes of their own: they claim from the test's inbox, in the test's database.

`python -m tests.stripe.workers` reads orders from standard input, one JSON value a line, and answers each with the
number of events that it worked on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone


class Worker:
    def __init__(self) -> None:
        name = connection.settings_dict["NAME"]  # of the test database
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stripe.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        )

    def begin(self) -> None:
        """Let it process all that is due at this moment, with the settings of the test."""
        assert self.process.stdin is not None
        order = {"billing": settings.VIDEOQ_BILLING, "now": timezone.now().isoformat()}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def kill(self) -> int:
        """SIGKILL: it can neither finish nor tidy up. Return its exit code."""
        self.process.kill()
        self.process.communicate()
        return self.process.returncode


def until(true: Callable[[], object]) -> None:
    """Wait for what another process does. The clock stands still in these tests, so looks are counted."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("It did not happen.")


def main() -> None:
    import django
    import time_machine
    from django.test import override_settings

    django.setup()
    from django_videoq_billing.webhooks import inbox

    for line in sys.stdin:
        order = json.loads(line)
        now = datetime.fromisoformat(order["now"])
        with override_settings(VIDEOQ_BILLING=order["billing"]), time_machine.travel(now, tick=False):
            done = inbox.process_due()
        connection.close()
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
