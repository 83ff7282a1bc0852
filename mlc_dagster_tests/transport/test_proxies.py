"""A wrong proxy or certificate is one sentence with its cure, and never a password."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mlc_dagster.core.errors import Misconfigured, MlcError, TransientError
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline import alerting
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.proxies import odd_exceptions, proxy_of, trusted
from mlc_dagster_tests.promises.shell import mlc
from mlc_dagster_tests.promises.victims import Victims

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
MARKED = "s3cr3t-marked"
FAR = "https://api.acme.invalid"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    trusted.cache_clear()
    yield
    trusted.cache_clear()


def refusal(base_url: str, kind: type[MlcError] = Misconfigured) -> str:
    with ApiClient("hubspot", base_url, max_attempts=1) as api, pytest.raises(kind) as caught:
        api.request("GET", "/crm")
    said = str(caught.value)
    assert MARKED not in said and len(said.splitlines()) == 2, said
    return said


# --- proxies ----------------------------------------------------------------------------------------------------------


@contextmanager
def answering(said: bytes) -> Iterator[int]:
    """A port where whoever calls is answered this, whatever he says."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def a_dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_is_not_there_is_named_instead_of_the_system(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    port = a_dead_port()
    monkeypatch.setenv(name, f"http://joe:{MARKED}@127.0.0.1:{port}")
    said = refusal(FAR, TransientError)
    assert f"hubspot: cannot reach {FAR} by the proxy http://127.0.0.1:{port}: connection refused" in said
    assert f"Check {name.upper()} in the environment or in .env" in said and "NO_PROXY" in said


@pytest.mark.parametrize(
    "answer, said",
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "it answers 407 Proxy Authentication Required; it asks",
        ),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "it answers 403 Forbidden"),
    ],
)
def test_a_proxy_that_refuses_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, answer: bytes, said: str) -> None:
    with answering(answer) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://joe:{MARKED}@127.0.0.1:{port}")
        assert said in refusal(FAR)


def test_a_proxy_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert "503 service unavailable" in refusal(FAR, TransientError)


def test_a_proxy_that_is_said_to_speak_tls_and_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"https://joe:{MARKED}@127.0.0.1:{port}")
        said = refusal(FAR)
        assert f"https://127.0.0.1:{port} does not speak TLS: is it http://?" in said and "Check HTTPS_PROXY" in said
        monkeypatch.delenv("HTTPS_PROXY")
        said = refusal(f"https://127.0.0.1:{port}")
        assert "does not speak TLS" in said and "Check hubspot.base_url in mlc.yaml" in said


WRONG = (
    *(f"foo://joe:{MARKED}@proxy.test:1", f"http://joe:{MARKED}@proxy.test:port", f"ftp://{MARKED}@proxy.test"),
    *("http://", "://", "http://[::1", "http://proxy test:80", "http:/proxy.test:80", "http://proxy.test:99999", " "),
)


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
def test_what_is_no_address_of_a_proxy_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    said = refusal(FAR)
    assert f"{name} is " in said and "which is no address of a proxy\n" in said
    assert "http://proxy.acme.com:8080" in said


def test_a_socks_proxy_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://joe:{MARKED}@proxy.test:1080")
    assert "ALL_PROXY is socks5://proxy.test:1080, a SOCKS proxy, and the package socksio" in refusal(FAR)


@pytest.mark.parametrize("value", ["[::1", "x:port", "\x1b[31m"])
def test_what_is_no_host_in_no_proxy_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://joe:{MARKED}@proxy.test:1")
    monkeypatch.setenv("NO_PROXY", value)
    assert "NO_PROXY names what is no host\n" in refusal(FAR)


def test_what_exempts_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*.acme.com, 10.0.0.0/8, .good.test, localhost, ::1, 10.0.0.7")
    assert odd_exceptions() == "", "no proxy"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:1")
    assert odd_exceptions().startswith("NO_PROXY has *.acme.com, 10.0.0.0/8, which exempts no host")
    assert proxy_of("https://api.good.test") is None and proxy_of("https://127.0.0.1") is None
    assert proxy_of("https://api.acme.com") is not None and proxy_of("http://api.acme.com") is None


# --- certificates -----------------------------------------------------------------------------------------------------


class Issuer:
    """An authority of our own, and certificates by it or by nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "our own")])
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._made(self.name, self.key, ca=True).public_bytes(serialization.Encoding.PEM))

    def _made(self, subject: x509.Name, key: Any, *, ca: bool = False, days: int = 1, host: str = "127.0.0.1") -> Any:
        now, by = datetime.now(UTC), self.key
        end = now + timedelta(days=days)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(min(now, end) - timedelta(days=1))
        made = made.not_valid_after(end).add_extension(names, critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        return made.sign(by, hashes.SHA256())

    def server(self, **options: Any) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        file = self.folder / "server.pem"
        shape = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        parts = self._made(subject, key, **options).public_bytes(serialization.Encoding.PEM)
        file.write_bytes(parts + key.private_bytes(serialization.Encoding.PEM, *shape))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@contextmanager
def by_tls(context: ssl.SSLContext) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError, ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(1000)
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


CERTIFICATES: dict[str, tuple[dict[str, Any], bool, str, str]] = {
    "of an issuer that nobody knows": (
        {},
        False,
        "nobody who is known here has issued it",
        "SSL_CERT_FILE names a file",
    ),
    "expired": ({"days": -3}, True, "it has expired", "Tell who runs it. Or is the clock of this machine wrong?"),
    "of another host": (
        {"host": "10.0.0.7"},
        True,
        "it is that of another host",
        "Check hubspot.base_url in mlc.yaml.",
    ),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_a_wrong_certificate_is_told_by_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    options, known, why, cure = CERTIFICATES[kind]
    issuer = Issuer(tmp_path)
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(issuer.file))
    with by_tls(issuer.server(**options)) as url:
        said = refusal(url)
    assert f"hubspot: {url} shows a certificate that is not trusted: {why}\n" in said and cure in said


def test_a_certificate_of_the_companys_own_issuer_is_taken_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(issuer.file))
    with by_tls(issuer.server()) as url, ApiClient("hubspot", url, max_attempts=1) as api:
        assert api.request("GET", "/crm").json() == {}


@pytest.mark.parametrize(
    "name, made, said",
    [
        ("SSL_CERT_FILE", None, "and there is no such file"),
        ("SSL_CERT_FILE", "my notes", "and no certificate stands in it"),
        ("SSL_CERT_FILE", "", "and no certificate stands in it"),
        (
            "SSL_CERT_FILE",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "no certificate stands in it",
        ),
        ("SSL_CERT_DIR", None, "and there is no such folder"),
    ],
)
def test_certificates_that_are_not_there_are_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, made: str | None, said: str
) -> None:
    place = tmp_path / "our \x1b[31m certificates"
    if made is not None:
        place.write_text(made)
    monkeypatch.setenv(name, str(place))
    told = refusal(FAR)
    assert f"{name} names {tmp_path}/our \\x1b[31m certificates, " in told and said in told and "take it away" in told


# --- where people meet it ---------------------------------------------------------------------------------------------


@pytest.fixture
def said(victims: Victims, tmp_path: Path) -> Callable[..., Any]:
    content = demo_settings("http://127.0.0.1:9")
    content["hubspot"]["base_url"] = FAR
    (tmp_path / "mlc.yaml").write_text(
        yaml.safe_dump({name: content[name] for name in ("companies", "ifs", "hubspot")})
    )

    def run(word: str, **environment: str) -> Any:
        known = {"HUBSPOT_TOKEN": "x" * 20, "COLUMNS": "300", **environment}
        end = victims.start(mlc, str(tmp_path), known, word).wait()
        assert end.code == 0, end.said
        return {**end.value, "out": " ".join(end.value["out"].split())}  # as wide as the tests' own terminal

    return run


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    with Victims("mlc_dagster.cli.app") as loader:
        yield loader


def test_ping_and_check_say_the_same(said: Any, tmp_path: Path) -> None:
    port = a_dead_port()
    dead = said("ping", HTTPS_PROXY=f"http://joe:{MARKED}@127.0.0.1:{port}")
    assert dead["code"] == 1 and f"by the proxy http://127.0.0.1:{port}: connection refused" in dead["out"]
    assert "Check HTTPS_PROXY" in dead["out"] and MARKED not in dead["out"] + dead["err"]
    for name, value in (("HTTPS_PROXY", f"foo://joe:{MARKED}@proxy.test:1"), ("SSL_CERT_FILE", "/nowhere.pem")):
        for word, code in (("ping", 1), ("check", 2)):
            found = said(word, **{name: value})
            everything = found["out"] + found["err"]
            assert found["code"] == code and f"{name} " in everything, found
            assert MARKED not in everything and "Traceback" not in everything
    odd = said("check", HTTPS_PROXY="http://proxy.test:1", NO_PROXY="*.acme.com")
    assert odd["code"] == 0 and "NO_PROXY has *.acme.com, which exempts no host" in odd["err"]


def test_an_alert_that_no_proxy_carries_is_told_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, sqlite_ledger: Ledger
) -> None:
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", f"{FAR}/{MARKED}")
    monkeypatch.setenv("HTTPS_PROXY", f"foo://joe:{MARKED}@proxy.test:1")
    (told,) = alerting.tell(AlertSettings(webhook="ALERTS_WEBHOOK_URL"), lambda: sqlite_ledger, "subject", "text")
    assert "was not reached: HTTPS_PROXY is foo://proxy.test:1, which is no address of a proxy" in told
    assert MARKED not in told
