"""The way out of this machine as the environment names it: proxies and certificates. No credentials are shown."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import httpx

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EXPECTED = "http://proxy.acme.com:8080, with http:// also where it is for https addresses"
_HOST = r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)"
_PROXY = re.compile(rf"(?:(?P<scheme>https?|socks5h?)://)?(?:[^@/\s]*@)?{_HOST}(?::(?P<port>\d{{1,5}}))?/?", re.I)
EITHER = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Proxy:
    """The one that stands before an address."""

    setting: str  # the environment's name for it: HTTPS_PROXY
    shown: str  # http://proxy.acme.com:8080, without user and password

    @property
    def cure(self) -> str:
        return f"Check {self.setting} in the environment or in .env; a host that needs no proxy belongs into NO_PROXY."


def proxy_of(address: str) -> Proxy | None:
    """None where the way is direct: to this machine, or by NO_PROXY, or as nothing is set."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    setting = next((name for name in (f"{parts.scheme.upper()}_PROXY", "ALL_PROXY") if _value(name)), None)
    if setting is None or host in LOOPBACK or proxy_bypass(host):
        return None
    return Proxy(setting, shown(_value(setting)))


def shown(value: str) -> str:
    """An address without user and password; of what is none, its length alone."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"a value of {len(value)} characters"
    return (
        inert(f"{parts.scheme}://{parts.hostname}{port}") if parts.hostname else f"a value of {len(value)} characters"
    )


def opened(**options: Any) -> httpx.Client:
    """A client. Raises Misconfigured for proxies or certificates that none can be opened with."""
    verify = trusted()
    asked = [name for name in EITHER if _value(name)] if options.get("trust_env", True) else []
    for name in asked:
        _refuse_what_is_no_proxy(name, _value(name))
    try:
        return httpx.Client(verify=verify, **options)
    except (httpx.InvalidURL, ValueError):
        if not (asked and _value("NO_PROXY")):
            raise
        cure = "Hosts and domains, separated by commas: NO_PROXY=localhost,.acme.com,10.0.0.7"
        raise Misconfigured("NO_PROXY names what is no host", cure=cure) from None


def _refuse_what_is_no_proxy(name: str, value: str) -> None:
    found = _PROXY.fullmatch(value.strip())
    cure = f"Set it in the environment or in .env: {EXPECTED}; or take it away."
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise Misconfigured(f"{name} is {shown(value)}, which is no address of a proxy", cure=cure)
    if (found["scheme"] or "").startswith("socks") and find_spec("socksio") is None:
        words = f"{name} is {shown(value)}, a SOCKS proxy, and the package socksio is not installed"
        raise Misconfigured(words, cure="Install it (pip install 'httpx[socks]'), or name a proxy that speaks HTTP.")


def odd_exceptions() -> str:
    """What of NO_PROXY exempts nothing, though it reads as if it did; empty: nothing."""
    entries = [entry.strip() for entry in _value("NO_PROXY").split(",") if entry.strip()]
    odd = [entry for entry in entries if entry != "*" and re.search(r"[*/\s]", entry) and "://" not in entry]
    if not odd or not any(map(_value, EITHER)):
        return ""
    named = ", ".join(map(inert, odd))
    return f"NO_PROXY has {named}, which exempts no host: write .acme.com for a domain, and each address by itself"


def _value(name: str) -> str:
    """In small letters too, which win as they do for httpx."""
    return os.environ.get(name.lower()) or os.environ.get(name) or ""


# --- certificates ---------------------------------------------------------------------------------------------------

PEM = "a file of certificates as text (PEM), the usual ones and your company's: -----BEGIN CERTIFICATE-----"


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: SSL_CERT_FILE and SSL_CERT_DIR count.

    Raises Misconfigured where they name none.
    """
    try:
        found = httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise _no_certificates(error) from None
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not Path(folder).is_dir():
        cure = "Set it to a folder of certificates, or take it away: then those that come with this program count."
        raise Misconfigured(f"SSL_CERT_DIR names {inert(folder)}, and there is no such folder", cure=cure)
    return found


def _no_certificates(error: OSError) -> Misconfigured:
    named = inert(os.environ.get("SSL_CERT_FILE", ""))
    cure = f"Set it to {PEM}; or take it away: then those that come with this program count."
    if isinstance(error, ssl.SSLError):
        return Misconfigured(f"SSL_CERT_FILE names {named}, and no certificate stands in it", cure=cure)
    why = "there is no such file" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error.strerror}"
    return Misconfigured(f"SSL_CERT_FILE names {named}, and {why}", cure=cure)


def check_way_out() -> None:
    """Raises Misconfigured for what would keep every connection from being opened."""
    opened().close()


# --- what a connection that failed meant ------------------------------------------------------------------------------

UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
OWN_ISSUER = (
    "Where your company, or a proxy that opens TLS, has an issuer of its own: SSL_CERT_FILE names a file with its"
    " certificate (PEM) beside the usual ones."
)


def why_untrusted(text: str) -> tuple[str, str | None]:
    """What is wrong with a certificate, in words, and what to do; None: look at the address."""
    if "expired" in text:
        return "it has expired", "Tell who runs it. Or is the clock of this machine wrong?"
    if "not yet valid" in text:
        return "it is not valid yet", "Is the clock of this machine wrong? Else tell who runs it."
    if "ismatch" in text:
        return "it is that of another host", None
    if "self-signed" in text or "self signed" in text or "local issuer" in text:
        return "nobody who is known here has issued it", OWN_ISSUER
    return "", None
