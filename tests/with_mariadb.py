"""Run a command with DATABASE_URL naming a real MariaDB: `python -m tests.with_mariadb pytest tests/usage`.

Starts a throw-away server, which the machine must have, unless DATABASE_URL names one already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django_videoq_billing.testing.process import free_port

MISSING = """There is no {} here. MariaDB cannot come from pip; on Debian and Ubuntu:
    apt-get install mariadb-server-core mariadb-client-core libmariadb-dev pkg-config gcc
    pip install mysqlclient
"""
# What is committed survives a killed process; the tests need no more. utf8mb4 is the default of Debian's own configuration, and of
# MariaDB since 11.6. Snapshot isolation is to be off by docs/upgrading.md; not every version knows it.
OPTIONS = (
    "--bind-address=127.0.0.1",
    "--character-set-server=utf8mb4",
    "--loose-innodb-snapshot-isolation=OFF",
    "--innodb-flush-log-at-trx-commit=2",
    "--max-connections=400",
)
SECONDS = 60


def main(command: list[str]) -> int:
    if not command:
        sys.exit("usage: python -m tests.with_mariadb COMMAND [ARGUMENT ...]")
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)  # noqa: S603 (the developer's own command)
    with tempfile.TemporaryDirectory(prefix="videoq-mariadb-") as directory, server(Path(directory)) as url:
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": url})  # noqa: S603


@contextmanager
def server(directory: Path) -> Iterator[str]:
    """A server with its files in this directory, and the address of an empty database on it."""
    port, data, socket = free_port(), directory / "data", directory / "socket"
    common = ["--no-defaults", f"--datadir={data}", *(["--user=root"] if os.geteuid() == 0 else [])]
    with (directory / "log").open("w+", encoding="utf-8") as log:
        install = [_program("mariadb-install-db"), *common, "--auth-root-authentication-method=normal"]
        subprocess.run(install, check=True, stdout=log, stderr=log)  # noqa: S603
        start = [_program("mariadbd"), *common, f"--port={port}", f"--socket={socket}", *OPTIONS]
        process = subprocess.Popen(start, stdout=log, stderr=log)  # noqa: S603
        try:
            _create_database(port, process, Path(log.name))
            yield f"mysql://root@127.0.0.1:{port}/videoq"
        finally:
            process.terminate()
            process.wait(timeout=SECONDS)


def _program(name: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    return shutil.which(name, path=path) or sys.exit(MISSING.format(name))


def _create_database(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        import MySQLdb
    except ImportError:
        sys.exit(MISSING.format("mysqlclient"))
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            connection = MySQLdb.connect(host="127.0.0.1", port=port, user="root")
            break
        except MySQLdb.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"MariaDB did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.1)  # the server is starting, and has until the deadline
    connection.query("CREATE DATABASE videoq")
    connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
