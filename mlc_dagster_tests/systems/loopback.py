"""A server on the loopback whose every byte a test decides, and a time that passes when it is slept."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

Wire = Callable[[socket.socket], None]


@dataclass
class Asked:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


def answers(status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer; `body` is bytes, or what becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + content


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@dataclass
class Loopback:
    """Asks `reply` what to answer: bytes, or a function that does as it likes with the connection."""

    reply: Callable[[Asked], bytes | Wire]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    connections: int = 0

    @contextmanager
    def running(self) -> Iterator["Loopback"]:
        ours = self

        class Conversation(StreamRequestHandler):
            def handle(self) -> None:
                ours.connections += 1
                while line := self.rfile.readline().decode("latin-1").strip():
                    headers = {}
                    while field_line := self.rfile.readline().decode("latin-1").strip():
                        name, _, value = field_line.partition(":")
                        headers[name.lower()] = value.strip()
                    body = self.rfile.read(int(headers.get("content-length", 0)))
                    asked = Asked(line, headers, body)
                    ours.asked.append(asked)
                    reply = ours.reply(asked)
                    if callable(reply):
                        reply(self.connection)
                        return
                    self.wfile.write(reply)

        class Quiet(ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                """The other side hung up, as the tests make it do."""

        with Quiet(("127.0.0.1", 0), Conversation) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


@dataclass
class FakeTime:
    """Passes only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(0.0, seconds)
