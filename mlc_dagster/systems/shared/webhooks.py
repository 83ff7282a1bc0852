"""What a webhook tells: which event it is, of what kind, about which record. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

_SEPARATORS = str.maketrans(".-/ ", "____")


@dataclass(frozen=True)
class WebhookEvent:
    """`event_id` is the sender's, or a digest of what makes the event; `subject` is "" where no record is named."""

    event_id: str
    kind: str
    subject: str


def parsed(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises ValueError, which never quotes it, where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ValueError("the body is not a JSON object") from None


def kind_of(words: str) -> str:
    """`Purchase_Request.Approved` and `purchase-request/approved` are purchase_request_approved."""
    return words.strip().lower().translate(_SEPARATORS)


def first(payload: Mapping[str, Any], *places: str) -> str:
    """The first of these places that holds a text or a whole number; "" where none does."""
    for place in places:
        value: Any = payload
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
