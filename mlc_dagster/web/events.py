"""What a webhook tells, by sender: which event it is, of what kind, about which record. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

_SEPARATORS = str.maketrans(".-/ ", "____")


@dataclass(frozen=True)
class Told:
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


def from_airbase(payload: Mapping[str, Any], body: bytes) -> Told:
    """Airbase documents the envelope, and not what stands in `data`."""
    subject = _first(
        payload,
        "data.id",
        "data.airbase_id",
        "data.request.id",
        "data.purchase_request.id",
        "data.request_id",
        "data.purchase_request_id",
        "data.object.id",
    )
    return Told(_first(payload, "id") or _digest(body), kind_of(_first(payload, "type")), subject)


def from_cin7(payload: Mapping[str, Any], body: bytes) -> Told:
    """Cin7 gives no event id and tries again: the records and their dates make the event, else the whole body.

    GUIDs come in capital letters in some events and in small ones in others.
    """
    kind, records = _first(payload, "EventType"), list(_cin7_records(payload))
    dated = bool(records) and all(record and date for record, date in records)
    made_of = msgspec.json.encode([kind, sorted(records)]) if dated else body
    subject = _first(payload, "TaskID", "ID").lower() or (records[0][0] if len(records) == 1 else "")
    return Told(_digest(made_of), kind_of(kind), subject)


def from_monday(payload: Mapping[str, Any], body: bytes) -> Told:
    """One trigger reaches each subscription once; where it is tried again, both ids are the same."""
    trigger, subscription = _first(payload, "event.triggerUuid"), _first(payload, "event.subscriptionId")
    event_id = f"{trigger}/{subscription}" if trigger else _digest(body)
    subject = _first(payload, "event.pulseId", "event.itemId", "event.boardId")
    return Told(event_id, kind_of(_first(payload, "event.type")), subject)


READERS: dict[str, Callable[[Mapping[str, Any], bytes], Told]] = {
    "airbase": from_airbase,
    "cin7": from_cin7,
    "monday": from_monday,
}


def kind_of(words: str) -> str:
    """`Purchase_Request.Approved` and `purchase-request/approved` are purchase_request_approved."""
    return words.strip().lower().translate(_SEPARATORS)


def challenge(payload: Mapping[str, Any]) -> str | None:
    """What monday.com wants to hear again when a webhook is made; None in an event."""
    asked = payload.get("challenge")
    return asked if isinstance(asked, str) and "event" not in payload else None


def _cin7_records(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(id, last change) of each record told of: at the top, or in a list (CustomerDetailsList for purchases)."""
    if top := _first(payload, "TaskID", "ID"):
        yield top.lower(), _first(payload, "LastUpdatedDate", "LastModifiedOn")
    for name, content in payload.items():
        for each in content if name.endswith("DetailsList") and isinstance(content, list) else ():
            within = each if isinstance(each, dict) else {}
            found = _first(within, "ID", "TaskID", "Supplier.ID", "Customer.ID").lower()
            yield found, _first(within, "LastUpdatedDate", "Supplier.LastModifiedOn", "Customer.LastModifiedOn")


def _first(payload: Mapping[str, Any], *places: str) -> str:
    """The first of these places that holds a text or a whole number; "" where none does."""
    for place in places:
        value: Any = payload
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
