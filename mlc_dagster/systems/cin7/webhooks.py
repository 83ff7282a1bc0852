"""What a webhook of Cin7 Core tells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mlc_dagster.systems.shared.webhooks import WebhookEvent, digest, first, kind_of

WRONG_TASK = "Purchase/InvoiceAuthorised"
"""Its TaskID is of another record, as a vendor reports: it only says that purchases changed."""


def event_of(payload: Mapping[str, Any], body: bytes) -> WebhookEvent:
    """Cin7 gives no event id and tries again: the records and their dates make the event, else the whole body.

    GUIDs come in capital letters in some events and in small ones in others.
    """
    kind, records = first(payload, "EventType"), list(_records(payload))
    dated = bool(records) and all(record and date for record, date in records)
    made_of = msgspec.json.encode([kind, sorted(records)]) if dated else body
    if kind == WRONG_TASK:
        return WebhookEvent(digest(made_of), kind_of(kind), "")
    subject = first(payload, "TaskID", "ID").lower() or (records[0][0] if len(records) == 1 else "")
    return WebhookEvent(digest(made_of), kind_of(kind), subject)


def _records(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(id, last change) of each record told of: at the top, or in a list (CustomerDetailsList for purchases)."""
    if top := first(payload, "TaskID", "ID"):
        yield top.lower(), first(payload, "LastUpdatedDate", "LastModifiedOn")
    for name, content in payload.items():
        for each in content if name.endswith("DetailsList") and isinstance(content, list) else ():
            within = each if isinstance(each, dict) else {}
            found = first(within, "ID", "TaskID", "Supplier.ID", "Customer.ID").lower()
            yield found, first(within, "LastUpdatedDate", "Supplier.LastModifiedOn", "Customer.LastModifiedOn")
