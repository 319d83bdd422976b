"""Workers are forked from one process that has loaded the site, as a server with preloading does.

`python -m tests.storm.nursery` reads one JSON line a worker and writes `started NAME PID` and `ended PID STATUS`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import django

from tests.storm import worker

PATIENCE = 60.0


def main() -> None:
    django.setup()
    signal.signal(signal.SIGCHLD, _tell_who_ended)
    for line in sys.stdin:
        arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(arguments)
        _tell(f"started {arguments[0]} {pid}")


def _live(arguments: list[str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    folder = Path(arguments[arguments.index("--folder") + 1])
    errors = os.open(folder / f"{arguments[0]}.err", os.O_WRONLY | os.O_CREAT)
    os.dup2(errors, 2)
    try:
        worker.main(arguments)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(4)
    os._exit(0)


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _tell_who_ended(number: int, frame: FrameType | None) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


class Child:
    """A forked worker, as the storm sees it."""

    def __init__(self, name: str, pid: int, nursery: Nursery) -> None:
        self.name, self.pid, self._nursery = name, pid, nursery

    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._nursery.ended.get(self.pid)

    def wait(self) -> int:
        return self._nursery.until(self.status)

    def kill(self) -> None:
        if self.status() is None:
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.storm.nursery"]
        self._process = subprocess.Popen(  # noqa: S603 (our own module)
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ended: dict[int, int] = {}
        self._started: dict[str, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, name: str, *arguments: str) -> Child:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        return Child(name, self.until(lambda: self._started.get(name)), self)

    def until(self, look: Callable[[], int | None]) -> int:
        """What `look` finds, once it finds something."""
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            assert time.monotonic() < deadline, "a process of the storm neither starts nor ends"
            time.sleep(0.01)
        return found

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            match line.split():
                case ["started", name, pid]:
                    self._started[name] = int(pid)
                case ["ended", pid, status]:
                    self.ended[int(pid)] = int(status)


if __name__ == "__main__":
    main()
