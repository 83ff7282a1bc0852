"""What a token says of who issued it and how long it is good, where it is a JSON Web Token (RFC 7519). Nothing else of
it is handed on.
"""

from __future__ import annotations

import math
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlc_dagster.transport.responses import UNREADABLE, exact_json

LATEST = 4102444800.0  # the year 2100: what ends later is no time


def issuer_of(token: str) -> str:
    """The claim `iss`, an address; empty where the token is opaque, or does not say.

    The signature is not verified: the token came from the token endpoint itself, and the system accepts it.
    """
    found = _claims(token).get("iss")
    return found if isinstance(found, str) else ""


def lifetime_of(token: str) -> float | None:
    """Seconds from `iat` to `exp`, both by the issuer's clock; without `iat`, from now. None where it does not say."""
    claims = _claims(token)
    ends, began = _number(claims.get("exp")), _number(claims.get("iat"))
    return None if ends is None else ends - (time.time() if began is None else began)


def end_of(token: str, lasts: float) -> datetime | None:
    """When it ends, of a token that was made for more than `lasts` seconds: a shorter one is renewed by its use."""
    claims, lifetime = _claims(token), lifetime_of(token)
    ends = _number(claims.get("exp"))
    if ends is None or lifetime is None or lifetime <= lasts or not 0 <= ends <= LATEST:
        return None
    return datetime.fromtimestamp(ends, UTC)


def _number(claim: Any) -> float | None:
    try:
        found = math.nan if isinstance(claim, bool) else float(claim)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _claims(token: str) -> Mapping[str, Any]:
    """Empty where the token is opaque."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = exact_json(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except UNREADABLE:
        return {}
    return claims if isinstance(claims, dict) else {}
