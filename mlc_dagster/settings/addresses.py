"""Addresses in mlc.yaml: absolute, encrypted but on this machine, and without a password."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, HttpUrl, ValidationError

from mlc_dagster.settings.mistakes import found, shown_address

_PROJECTION = re.compile(r"/(main|int|b2b)(/|$)|/ifsapplications|/projection/|\.svc", re.I)


def _address(value: Any) -> str:
    """An absolute address without a slash at its end: records and sign-ins go there, so it is encrypted."""
    address = _link(value)
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
        said, secure = shown_address(address), shown_address(f"https{address[4:]}")
        raise ValueError(f"found {said}; expected {secure}: http shows everybody the sign-in and every record")
    return address


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


Address = Annotated[str, BeforeValidator(_address)]
Link = Annotated[str, BeforeValidator(_link)]
TenantAddress = Annotated[Address, AfterValidator(_tenant)]
