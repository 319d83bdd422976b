"""A network between a client and a server on this machine that can be cut, fall silent, be slow, or lose answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Listens on a port of its own and passes everything on to `port`."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._silent = False
        self.delay: Callable[[], float] = lambda: 0.0
        """How many seconds each answer is on its way."""
        self._lose: Callable[[], object] | None = None
        self._lose_question = False
        self._sockets: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        with suppress(OSError):  # wakes the thread that waits in accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def silence(self) -> None:
        """Keep connections, accept new ones, and let nothing through: packets vanish."""
        self._silent = True

    def lose_next_answer(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Let the next question through, close the connection instead of passing on its answer."""
        self._lose = meanwhile

    def lose_next_question(self) -> None:
        """Close the connection instead of passing on what is asked next."""
        self._lose_question = True

    def heal(self) -> None:
        if self._silent:
            self._silent = False
            self.drop()  # what was swallowed is lost for good
        if self._listener.fileno() < 0:
            self._listener = self._listen(self.port)

    def drop(self) -> None:
        """Close every connection; new ones are accepted."""
        for one in list(self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            self._sockets.update(pair)
            if listener.fileno() < 0:  # cut in the meantime
                self._end(pair)
            threading.Thread(target=self._questions, args=pair, daemon=True).start()
            threading.Thread(target=self._answers, args=pair, daemon=True).start()

    def _questions(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._lose_question:
                    self._lose_question = False
                    break
                if not self._silent:
                    server.sendall(data)
        self._end((client, server))

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                lose, self._lose = self._lose, None
                if lose is not None:
                    lose()
                    break
                time.sleep(self.delay())  # the slow network that a test asked for
                if not self._silent:
                    client.sendall(data)
        self._end((client, server))
        for one in (client, server):
            self._sockets.discard(one)
            one.close()

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    between = Proxy(port)
    try:
        yield between
    finally:
        between.close()
