"""The outgoing half of a call: the address and the body, exactly as they go over the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.transport.responses import Call, exact_json

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
Origin = tuple[str, str, int | None]
Content = tuple[str, bytes]
"""A media type and a body of it."""

_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_encoder = msgspec.json.Encoder(decimal_format="number")


def origin(system: str, base_url: str) -> Origin:
    """Scheme, host and port of a base URL. Raises Misconfigured where it is not a plain http(s) address."""
    where = f"{system}.base_url"
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise Misconfigured(f"{where} is not an address", cure="Expected https://host/path.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Misconfigured(f"{where} is not an absolute http(s) address", cure="Expected https://host/path.")
    if url.userinfo or url.query or url.fragment:
        raise Misconfigured(f"{where} holds credentials, a query or a fragment", cure="Expected https://host/path.")
    return _origin_of(url)


def address(call: Call, home: Origin, path: str, params: Params | None = None) -> httpx.URL:
    """Base URL and path as they are, and the params percent-encoded.

    Raises Misconfigured for an absolute URL elsewhere: credentials are never sent there. Raises RecordRejected where no
    address can be built, for example from a key of a megabyte.
    """
    text = path if _ABSOLUTE.match(path) else call.base_url + ("" if path[:1] in ("", "/", "?") else "/") + path
    if query := query_text(params):
        text += ("&" if "?" in text else "?") + query
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RecordRejected(call.says(f"no address can be built: {error}")) from error
    if url.fragment or text.endswith("#"):
        raise RecordRejected(call.says("no address can be built: '#' in a path is written %23"))
    if _origin_of(url) != home or url.userinfo:
        raise Misconfigured(
            call.says(f"the address is at {url.scheme}://{url.host}, not at {call.base_url}: nothing was sent"),
            cure=f"Check {call.system}.base_url in mlc.yaml; credentials go nowhere else.",
        )
    return url


def shown(path: str) -> str:
    """A path as messages show it: without host and query."""
    return _ABSOLUTE.sub("", path, count=1).split("?")[0] or "/"


def body_of(call: Call, json: Any) -> Content | None:
    """JSON with decimals as exact numbers, times as ISO 8601. Raises RecordRejected for what JSON cannot say."""
    if json is None:
        return None
    try:
        body = _encoder.encode(json)
        if b"NaN" in body or b"Infinity" in body:  # as text it is harmless, as an amount it is not JSON
            exact_json(body)
    except (UnicodeEncodeError, msgspec.DecodeError) as error:
        raise RecordRejected(call.says("the record holds an amount that is no number, or half a character")) from error
    return "application/json", body


def headers_of(call: Call, headers: Mapping[str, str] | None, content: Content | None) -> dict[str, str]:
    """The call's own headers. Raises RecordRejected for a value that no header can hold, for example a broken ETag."""
    kind = {"Content-Type": content[0]} if content else {}
    if bad := [name for name, value in (headers or {}).items() if not (value.isascii() and value.isprintable())]:
        raise RecordRejected(call.says(f"the header {bad[0]} would hold a character that no header can"))
    return {**kind, **(headers or {})}


def _origin_of(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def query_text(params: Params | None) -> str:
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    return "&".join(
        f"{quote(name, safe='$')}={quote(_text(value), safe='')}" for name, value in pairs if value is not None
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)
