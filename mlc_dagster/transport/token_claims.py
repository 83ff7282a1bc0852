"""What a token says of who issued it, where it is a JSON Web Token (RFC 7519). Nothing else of it is handed on."""

from __future__ import annotations

from base64 import urlsafe_b64decode

from mlc_dagster.transport.responses import UNREADABLE, exact_json


def issuer_of(token: str) -> str:
    """The claim `iss`, an address; empty where the token is opaque, or does not say.

    The signature is not verified: the token came from the token endpoint itself, and the system accepts it.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = exact_json(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except UNREADABLE:
        return ""
    found = claims.get("iss") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else ""
