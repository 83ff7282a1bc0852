"""Addresses in mlc.yaml: absolute, encrypted but on this machine, and without a password."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, HttpUrl, ValidationError, ValidationInfo

from mlc_dagster.settings.mistakes import found, shown_address

_PROJECTION = re.compile(r"/(main|int|b2b)(/|$)|/ifsapplications|/projection/|\.svc", re.I)


def _address(value: Any, info: ValidationInfo) -> str:
    """An absolute address without a slash at its end: records and sign-ins go there, so it is encrypted.

    Unless its section gives a reason (`plain_http`, a field before it) why it is not.
    """
    address = _link(value)
    if is_plain(address) and not (getattr(info, "data", None) or {}).get("plain_http"):
        said, secure = shown_address(address), shown_address(f"https{address[4:]}")
        raise ValueError(f"found {said}; expected {secure}: http shows everybody the sign-in and every record. {WHY}")
    return address


def is_plain(address: str) -> bool:
    """Whether what is sent there can be read on the way."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False  # no address: whoever asks it will say so
    return parts.scheme.lower() == "http" and not is_this_machine(parts.hostname or "")


def _reason(value: Any) -> str:
    """Why an address is not encrypted: words, no switch."""
    text = str("" if value is None else value).strip()
    if len(text) < SHORTEST or text.lower() in SWITCHES:
        raise ValueError(f"{found((), text)}; expected the reason, in words that others understand later: {EXAMPLE}")
    return text


SHORTEST = 5  # characters of a reason
SWITCHES = ("false", "allow", "allowed", "enabled")
EXAMPLE = '"inside the VPN, the ERP has no certificate yet"'
WHY = f"Where that is known and meant, say why beside it: plain_http: {EXAMPLE}"


def _link(value: Any) -> str:
    """Where people look, by http or https."""
    text = str("" if value is None else value).strip()
    parts = _parts(text)
    if "@" in parts.netloc:
        raise ValueError(f"found {shown_address(text)} with a user or a password in it; take them out: {NO_SECRETS}")
    try:
        return str(HttpUrl(text)).rstrip("/")
    except ValidationError:
        raise ValueError(f"{found((), text)}; expected {WHOLE}") from None


WHOLE = "an address such as https://acme.ifs.cloud"
NO_SECRETS = "secrets stand in the environment or the vault"


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{found((), text)}; expected {WHOLE}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in text:
        raise ValueError(f"{found((), text)}; expected {WHOLE}: with https:// and a host")
    return parts


def is_this_machine(host: str) -> bool:
    """The loopback addresses and names, which no other machine can listen to."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tenant(address: str) -> str:
    """The ERP's address ends where the projections begin: they follow by themselves."""
    parts = urlsplit(address)
    if place := _PROJECTION.search(parts.path):
        wanted = f"{parts.scheme}://{parts.netloc}{parts.path[: place.start()]}"
        raise ValueError(f"found {shown_address(address)}; expected {wanted}: take off {parts.path[place.start() :]}")
    return address


def _page(value: Any) -> str:
    """Where people look at one record: an address with at least one place in braces."""
    text = str("" if value is None else value).strip()
    _link(re.sub(r"\{\w+\}", "1", text))
    if not re.search(r"\{\w+\}", text):
        raise ValueError(f"{found((), text)}; expected an address with {{id}}, or a field of the key, in braces")
    return text


Address = Annotated[str, BeforeValidator(_address)]
RecordPage = Annotated[str, BeforeValidator(_page)]
Reason = Annotated[str, BeforeValidator(_reason)]
Link = Annotated[str, BeforeValidator(_link)]
TenantAddress = Annotated[Address, AfterValidator(_tenant)]
