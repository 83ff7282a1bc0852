"""From where a request comes, and whom a proxy has signed in: its word counts from its own address alone."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from starlette.requests import Request

from mlc_dagster.settings.review import ReviewSettings

LONGEST = 200


class ForgedHeader(Exception):
    """The header of a sign-in came from an address that is none of the trusted proxies."""


def peer(request: Request) -> str:
    """The address of who is connected: a proxy, or this machine."""
    return request.client.host if request.client else ""


def address_of(request: Request, own: ReviewSettings) -> str:
    """Of who asks; behind a proxy that is on this machine, or trusted, as the proxy says."""
    here = peer(request)
    said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return said[:LONGEST] if said and (is_loopback(here) or is_trusted(here, own)) else here or "?"


def named_by_proxy(request: Request, own: ReviewSettings) -> str:
    """The person; empty: none is named, or nobody may name one. Raises ForgedHeader."""
    found = request.headers.getlist(own.sign_in_header) if own.sign_in_header else []
    if not any(found):
        return ""
    if not is_trusted(peer(request), own) or len(found) > 1:
        raise ForgedHeader
    return found[0].strip()[:LONGEST]


def is_trusted(address: str, own: ReviewSettings) -> bool:
    try:
        return any(ip_address(address) in ip_network(each) for each in own.trusted_proxies)
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
