"""A wire to a PostgreSQL that can be cut, or go silent, for those who reach their ledger through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit


class Wire:
    """Carries bytes between 127.0.0.1 and the server's socket."""

    def __init__(self, server: str) -> None:
        self._socket = f"{parse_qs(urlsplit(server).query)['host'][0]}/.s.PGSQL.5432"
        self._door = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._open, self._lock = threading.Event(), threading.Lock()
        self._open.set()
        threading.Thread(target=self._welcome, daemon=True).start()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._door.getsockname()[1]}/{database}"

    def cut(self) -> None:
        """Every connection breaks, and no new one is taken."""
        self._door.close()
        with self._lock:
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        self._open.clear()

    def speak(self) -> None:
        """What was on its way arrives after all."""
        self._open.set()

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._socket)
                with self._lock:
                    self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._open.wait()
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire(server: str) -> Iterator[Wire]:
    made = Wire(server)
    try:
        yield made
    finally:
        made.speak()
        made.cut()
