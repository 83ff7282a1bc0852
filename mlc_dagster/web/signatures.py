"""Whether a sender is who it says it is: a shared secret, an HMAC over the body, monday.com's token. Pure.

Every comparison takes the same time whatever is given, right or wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Literal

import msgspec

LEEWAY = 60.0  # seconds that clocks may be apart
_BEARER = b"bearer "


def same_secret(given: bytes, secret: str) -> bool:
    """Whether the secret was given, alone or after the word Bearer."""
    bare = given[len(_BEARER) :].strip() if given[: len(_BEARER)].lower() == _BEARER else given
    return hmac.compare_digest(hashlib.sha256(bare).digest(), hashlib.sha256(secret.encode()).digest())


def signed(body: bytes, given: bytes, key: str, prefix: str, encoding: Literal["hex", "base64"]) -> bool:
    """Whether `given` is the prefix and the HMAC-SHA256 of the body; hex in either case of letters."""
    start = prefix.encode()
    if not given.startswith(start):
        return False
    digest = hmac.digest(key.encode(), body, "sha256")
    if encoding == "hex":
        return hmac.compare_digest(given[len(start) :].lower(), digest.hex().encode())
    return hmac.compare_digest(given[len(start) :], base64.b64encode(digest))


def token_holds(given: bytes, key: str, now: float, address: str = "") -> bool:
    """Whether it is a JWT that `key` signed by HS256 and that still holds at `now`, in seconds since 1970, for
    `address`, or what is below it; empty: for whomever.

    A token without an end is refused. It does not cover the body: what was sent with it stays a hint.
    """
    bare = given[len(_BEARER) :] if given[: len(_BEARER)].lower() == _BEARER else given
    content, _, signature = bare.strip().rpartition(b".")
    wanted = _unpadded(hmac.digest(key.encode(), content, "sha256"))
    if not hmac.compare_digest(signature, wanted):
        return False
    header, _, claims = content.partition(b".")
    told = _part(claims)
    end = told.get("exp")
    if address and not _is_meant_for(told.get("aud"), address):
        return False
    if _part(header).get("alg") != "HS256" or not isinstance(end, int | float):
        return False
    return now < end + LEEWAY


def _is_meant_for(audience: Any, address: str) -> bool:
    """Another webhook of the same app is signed by the same key. The secret may stand at the end of the address."""
    named = audience if isinstance(audience, list) else [audience]
    ours = address.rstrip("/")
    return any(isinstance(each, str) and (each.rstrip("/") == ours or each.startswith(f"{ours}/")) for each in named)


def _unpadded(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def _part(encoded: bytes) -> dict[str, Any]:
    """Header or claims of a token; nothing where they cannot be read."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)), type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError, RecursionError):
        return {}
