"""Who is told, in tests: a webhook's receiver, and a mail server with and without TLS, on loopback."""

from __future__ import annotations

import base64
import datetime
import http.server
import ipaddress
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Receiver:
    """What came in. `status` is what a webhook is answered with, `body` with what."""

    port: int = 0
    status: int = 200
    body: bytes = b"ok"
    texts: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)  # of a webhook, as they came
    mails: list[Any] = field(default_factory=list)
    sign_ins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)  # for each mail
    refuses: bool = False  # any sign-in

    def url(self, token: str = "B0/s3cr3t-t0ken") -> str:
        return f"http://127.0.0.1:{self.port}/services/{token}"


@contextmanager
def webhook() -> Iterator[Receiver]:
    """Takes {"text": ...}, or a card of Teams, by POST."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.bodies.append(json.loads(content))
            receiver.texts.append(_text_of(receiver.bodies[-1]))
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: object) -> None: ...

    with _served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler), receiver):
        yield receiver


def _text_of(body: dict[str, Any]) -> str:
    if "text" in body:
        return str(body["text"])
    (card,) = body["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    return "\n".join(block["text"] for block in card["content"]["body"])


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> Iterator[Receiver]:
    """SMTP; with `tls` it offers STARTTLS, or speaks TLS from the first byte (`at_once`)."""
    receiver = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.is_encrypted = False
            if at_once:
                self._encrypt()
            self._say("220 test")
            while line := self.rfile.readline().decode().strip():
                if not self._answer(line):
                    return

        def _answer(self, line: str) -> bool:
            word = line.split()[0].upper()
            if word == "EHLO":
                offers = [*(["STARTTLS"] if tls and not self.is_encrypted else []), "AUTH PLAIN", "8BITMIME"]
                for offer in ("test", *offers[:-1]):
                    self._say(f"250-{offer}")
                self._say(f"250 {offers[-1]}")
            elif word == "STARTTLS":
                self._say("220 go ahead")
                self._encrypt()
            elif word == "AUTH":
                self._sign_in(line)
            elif word == "DATA":
                self._say("354 go on")
                self._take()
            else:
                self._say("221 bye" if word == "QUIT" else "250 ok")
            return word != "QUIT"

        def _sign_in(self, line: str) -> None:
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            receiver.sign_ins.append((user, password))
            self._say(f"535 wrong password {password}" if receiver.refuses else "235 welcome")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            receiver.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
            receiver.encrypted.append(self.is_encrypted)
            self._say("250 taken")

        def _encrypt(self) -> None:
            assert tls is not None
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.is_encrypted = self.connection.makefile("rb"), True
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), receiver):
        yield receiver


@contextmanager
def _served(server: socketserver.TCPServer, receiver: Receiver) -> Iterator[None]:
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1, and that of a client who trusts it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "test.pem"
    file.write_bytes(key.private_bytes(pem, formats, serialization.NoEncryption()) + signed.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
